// What `python -m benchmarks.client` has the TypeScript client do.
import { DurableStream, IdempotentProducer, stream } from '@durable-streams/client'
import { answer } from './lines.mjs'

/** Milliseconds of each of `count` calls. */
async function each(count, act) {
  const times = []
  for (let index = 0; index < count; index += 1) {
    const begin = performance.now()
    await act(index)
    times.push(performance.now() - begin)
  }
  return times
}

/** `{times, cpu}`: what `work` returns, and the processor time of it, in milliseconds. */
async function measured(work) {
  const before = process.cpuUsage()
  const times = await work()
  const { user, system } = process.cpuUsage(before)
  return { times, cpu: (user + system) / 1000 }
}

await answer({
  async append({ url, size, count }) {
    const handle = await DurableStream.connect({ url })
    const body = new Uint8Array(size).fill(120)
    return measured(() => each(count, () => handle.append(body)))
  },

  async read({ url, offsets }) {
    return measured(() =>
      each(offsets.length, async (index) => {
        const response = await stream({ url, offset: offsets[index], live: false })
        await response.body()
      }),
    )
  },

  async produce({ url, size, count }) {
    const handle = await DurableStream.connect({ url })
    const body = new Uint8Array(size).fill(120)
    return measured(() =>
      each(1, async () => {
        const producer = new IdempotentProducer(handle, 'benchmark')
        for (let index = 0; index < count; index += 1) producer.append(body)
        await producer.flush()
        await producer.detach()
      }),
    )
  },
})
