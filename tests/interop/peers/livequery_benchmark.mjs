// What `python -m benchmarks.livequery` has TanStack DB do, in a process for each case:
// `CASE FILE` loads the base rows of a file, builds the query, and then hands over one change after
// the other. Prints `{rows, load, changes}`: how many rows the query gives at first, the seconds until
// it did, and for each kind of change the median of seconds until its subscriber was called.
import { readFileSync } from 'node:fs'
import { createStateSchema } from '@durable-streams/state'
import { count, createLiveQueryCollection, createStreamDB, eq, min, sum } from '@durable-streams/state/db'
import { z } from 'zod'
import { waited } from './waited.mjs'

const [, , wanted, file] = process.argv
const { base, changes } = JSON.parse(readFileSync(file, 'utf8'))

const [text, number] = [z.string(), z.number()]
const message = { id: text, role: text, userId: text, tokens: number, content: text, createdAt: text }
const user = { id: text, name: text, status: text }
const chunk = { id: text, messageId: text, role: text, seq: number, tokens: number, chunk: text, createdAt: text }
const collection = (type, fields) => ({ schema: z.object(fields), type, primaryKey: 'id' })
const state = createStateSchema({
  messages: collection('message', message),
  users: collection('user', user),
  chunks: collection('chunk', chunk),
})

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]

/** As much of a stream as StreamDB asks for; `feed` hands over one batch. */
function given() {
  let subscribed
  const ready = new Promise((resolve) => (subscribed = resolve))
  const answer = { closed: new Promise(() => {}), offset: '-1', subscribeJson: subscribed }
  let batches = 0
  const feed = (take, items) => take({ items, offset: String(++batches), upToDate: true, streamClosed: false })
  return { stream: { url: 'given:', stream: async () => answer }, ready, feed }
}

/** No release has `collect`: the hook in `collect_hook.mjs` adds it as the module is loaded. */
const collect = (rows) => {
  const other = min(rows)
  return new other.constructor('collect', other.args)
}

/** What a client makes of the chunks of a message. */
function grown(rows, id, startedAt) {
  const ordered = [...rows].sort((a, b) => a.seq - b.seq)
  let [content, asks] = ['', false]
  for (const row of ordered) {
    const part = JSON.parse(row.chunk)
    if (part.type === 'text-delta') content += part.delta
    else asks = part.type === 'approval-requested'
  }
  return { id, role: ordered[0].role, startedAt, content, asks }
}

const live = (query, more = {}) => createLiveQueryCollection({ query, startSync: true, ...more })

const grouped = ({ chunks }, rows) =>
  live((q) =>
    q
      .from({ c: chunks })
      .groupBy(({ c }) => c.messageId)
      .select(({ c }) => ({
        messageId: c.messageId,
        n: count(c.id),
        tokens: sum(c.tokens),
        startedAt: min(c.createdAt),
        ...(rows ? { rows: collect(c) } : {}),
      })),
  )

const joined = ({ messages, users }, how) =>
  live((q) =>
    q
      .from({ m: messages })
      .join({ u: users }, ({ m, u }) => eq(m.userId, u.id), how)
      .select(({ m, u }) => ({ id: m.id, content: m.content, userName: u.name })),
  )

const messagesOf = (groups) =>
  live(
    (q) =>
      q
        .from({ g: groups })
        .orderBy(({ g }) => g.startedAt, 'asc')
        .fn.select(({ g }) => grown(g.rows, g.messageId, g.startedAt)),
    { getKey: (row) => row.id },
  )

const CASES = {
  none: ({ messages }) => messages,
  filter: ({ messages }) => live((q) => q.from({ m: messages }).where(({ m }) => eq(m.role, 'assistant'))),
  top50: ({ messages }) =>
    live((q) => q.from({ m: messages }).orderBy(({ m }) => m.createdAt, 'desc').limit(50)),
  full: ({ messages }) => live((q) => q.from({ m: messages }).orderBy(({ m }) => m.createdAt, 'asc')),
  join: (collections) => joined(collections, 'left'),
  'join-inner': (collections) => joined(collections, 'inner'),
  group: (collections) => grouped(collections, false),
  'group-collect': (collections) => grouped(collections, true),
  chain: (collections) => messagesOf(grouped(collections, true)),
  'chain-approvals': (collections) => {
    const all = messagesOf(grouped(collections, true))
    return live((q) => q.from({ m: all }).fn.where(({ m }) => m.asks))
  },
}

const { stream, ready, feed } = given()
const db = createStreamDB({ stream, state })
const preloaded = db.preload()
const take = await ready
feed(take, base)
await preloaded
globalThis.gc?.()

let [began, waitedBefore] = [performance.now(), waited()]
const target = CASES[wanted](db.collections)
await target.preload()
const load = (performance.now() - began) / 1000 - (waited() - waitedBefore)
const rows = target.size

let called = 0
target.subscribeChanges(() => (called = performance.now()))
const seconds = {}
for (const [what, event] of changes) {
  called = 0
  waitedBefore = waited()
  began = performance.now()
  feed(take, [event])
  // Some changes reach a query behind another one a moment later.
  for (let spins = 0; !called && spins < 3; spins++) await new Promise((resolve) => setImmediate(resolve))
  const others = waited() - waitedBefore
  if (called && others === 0) (seconds[what] ??= []).push((called - began) / 1000)
}
const medians = Object.entries(seconds).map(([what, all]) => [what, median(all)])
console.log(JSON.stringify({ rows, load, changes: Object.fromEntries(medians) }))
process.exit(0)
