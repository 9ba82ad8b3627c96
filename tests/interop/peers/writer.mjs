// Writes streams by the helpers of `@durable-streams/state`, and reads them back by its
// `MaterializedState`.
import { DurableStream, stream } from '@durable-streams/client'
import { MaterializedState } from '@durable-streams/state'
import { answer } from './lines.mjs'
import { collectionOfType, schema } from './schema.mjs'

const contentType = 'application/json'

/** A change event out of `{collection, operation, key?, value?, oldValue?, headers?}`. */
function changeEvent({ collection, operation, ...given }) {
  return schema[collection][operation](given)
}

await answer({
  async create({ url }) {
    await DurableStream.create({ url, contentType })
  },

  // As the library's documentation writes: one append a change, each awaited.
  async append({ url, writes }) {
    const handle = new DurableStream({ url, contentType })
    for (const write of writes) await handle.append(JSON.stringify(changeEvent(write)))
  },

  // All changes in as few POSTs as the library makes of appends that are not awaited.
  async appendTogether({ url, writes }) {
    const handle = new DurableStream({ url, contentType })
    await Promise.all(writes.map((write) => handle.append(JSON.stringify(changeEvent(write)))))
  },

  // Messages of any kind in exactly one POST; the answer is the offset behind them.
  async post({ url, messages }) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: JSON.stringify(messages),
    })
    if (!response.ok) throw new Error(`POST ${response.status} ${await response.text()}`)
    return response.headers.get('stream-next-offset')
  },

  events: ({ writes }) => writes.map(changeEvent),

  async close({ url }) {
    await new DurableStream({ url, contentType }).close()
  },

  async materialize({ url }) {
    const state = new MaterializedState()
    const response = await stream({ url, offset: '-1', live: false })
    state.applyBatch(await response.json())
    const rows = Object.fromEntries(Object.keys(schema).map((name) => [name, {}]))
    for (const type of state.types) {
      rows[collectionOfType[type]] = Object.fromEntries(state.getType(type))
    }
    return rows
  },
})
