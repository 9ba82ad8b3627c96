// What `python -m benchmarks.ingest` has StreamDB of TypeScript do, in a process for each case:
// `parsed FILE` hands it the events of a file, parsed before and all at once, and `preload URL` has
// it read a stream. Prints `{seconds, rows}`; see `jobs.py` there for what the seconds are.
import { readFileSync } from 'node:fs'
import { createStateSchema } from '@durable-streams/state'
import { createStreamDB } from '@durable-streams/state/db'
import { z } from 'zod'
import { waited } from './waited.mjs'

const text = z.string()
const state = createStateSchema({
  messages: {
    schema: z.object({ id: text, role: text, content: text, createdAt: text }),
    type: 'message',
    primaryKey: 'id',
  },
  presence: {
    schema: z.object({ userId: text, status: text }),
    type: 'presence',
    primaryKey: 'userId',
  },
  agents: {
    schema: z.object({ agentId: text, name: text, endpoint: text }),
    type: 'agent',
    primaryKey: 'agentId',
  },
})


/** The seconds that `load` takes to fill the database that it returns. */
async function measured(load) {
  globalThis.gc?.()
  const [began, waitedBefore] = [performance.now(), waited()]
  const db = await load()
  const seconds = (performance.now() - began) / 1000 - (waited() - waitedBefore)
  const rows = Object.entries(db.collections).map(([name, { size }]) => [name, size])
  console.log(JSON.stringify({ seconds, rows: Object.fromEntries(rows) }))
  process.exit(0)
}

/** As much of a stream as StreamDB asks for; it hands over one batch. */
function given(items) {
  let subscribed
  const ready = new Promise((resolve) => (subscribed = resolve))
  const answer = { closed: new Promise(() => {}), offset: '-1', subscribeJson: subscribed }
  const stream = { url: 'given:', stream: async () => answer }
  ready.then((take) => take({ items, offset: '1', upToDate: true, streamClosed: false }))
  return stream
}

const [, , job, source] = process.argv
if (job === 'parsed') {
  const items = JSON.parse(readFileSync(source, 'utf8'))
  await measured(async () => {
    const db = createStreamDB({ stream: given(items), state })
    await db.preload()
    return db
  })
} else {
  await measured(async () => {
    const streamOptions = { url: source, contentType: 'application/json' }
    const db = createStreamDB({ streamOptions, state })
    await db.preload()
    return db
  })
}
