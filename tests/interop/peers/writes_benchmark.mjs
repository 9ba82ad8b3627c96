// What `python -m benchmarks.writes` has StreamDB and TanStack DB do, in a process for each case.
// Prints medians of seconds.
//
// `visible PENDING FILE`: an insert and an update by an action, from the call until a subscriber is
// called, while so many others are pending; FILE holds the events that are there at first, and rows.
// `confirmed URL CALLS FILE`: an insert by the action of the library's documentation, from the call
// until a subscriber is called, until the call returns, and until its txid has come back, one at a
// time.
import { readFileSync } from 'node:fs'
import { createStateSchema } from '@durable-streams/state'
import { createStreamDB } from '@durable-streams/state/db'
import { z } from 'zod'
import { waited } from './waited.mjs'

const [, , wanted, ...given] = process.argv
const { base, rows } = JSON.parse(readFileSync(given.at(-1), 'utf8'))

const [text, number] = [z.string(), z.number()]
const message = { id: text, role: text, userId: text, tokens: number, content: text, createdAt: text }
const state = createStateSchema({
  messages: { schema: z.object(message), type: 'message', primaryKey: 'id' },
})

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]
const CALLS = 30 // of each kind and database
const DATABASES = 10

/** As much of a stream as StreamDB asks for; `feed` hands over one batch. */
function unconnected() {
  let subscribed
  const ready = new Promise((resolve) => (subscribed = resolve))
  const answer = { closed: new Promise(() => {}), offset: '-1', subscribeJson: subscribed }
  const feed = (take, items) => take({ items, offset: '1', upToDate: true, streamClosed: false })
  return { stream: { url: 'given:', stream: async () => answer }, ready, feed }
}

/** Actions whose writes stay pending for ever. */
const never = ({ db }) => ({
  insert: {
    onMutate: (value) => {
      db.collections.messages.insert(value)
    },
    mutationFn: () => new Promise(() => {}),
  },
  update: {
    onMutate: ({ id, content }) => {
      db.collections.messages.update(id, (draft) => {
        draft.content = content
      })
    },
    mutationFn: () => new Promise(() => {}),
  },
})

async function visible(pending) {
  const seconds = { insert: [], update: [] }
  for (let round = 0; round <= DATABASES; round++) {
    const { stream, ready, feed } = unconnected()
    const db = createStreamDB({ stream, state, actions: never })
    const preloaded = db.preload()
    const take = await ready
    feed(take, base)
    await preloaded
    for (const row of rows.slice(CALLS, CALLS + pending)) db.actions.insert(row)
    let called = 0
    db.collections.messages.subscribeChanges(() => (called = performance.now()))
    const timed = (write, into) => {
      called = 0
      const others = waited()
      const began = performance.now()
      write()
      // The first round warms up.
      if (called && round && waited() === others) into.push((called - began) / 1000)
    }
    for (const row of rows.slice(0, CALLS)) timed(() => db.actions.insert(row), seconds.insert)
    for (let index = 0; index < CALLS; index++)
      timed(() => db.actions.update({ id: `m${index}`, content: 'changed' }), seconds.update)
  }
  return { insert: median(seconds.insert), update: median(seconds.update) }
}

async function confirmed(url, calls) {
  await fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' } })
  const db = createStreamDB({
    streamOptions: { url, contentType: 'application/json' },
    live: true,
    state,
    actions: ({ db, stream }) => ({
      insert: {
        onMutate: (value) => {
          db.collections.messages.insert(value)
        },
        mutationFn: async (value) => {
          const txid = crypto.randomUUID()
          await stream.append(JSON.stringify(state.messages.insert({ value, headers: { txid } })))
          await db.utils.awaitTxId(txid, 30_000)
        },
      },
    }),
  })
  await db.preload()
  const seconds = { visible: [], returned: [], synced: [] }
  let called = 0
  db.collections.messages.subscribeChanges(() => (called ||= performance.now()))
  for (const [index, row] of rows.slice(0, calls + 50).entries()) {
    called = 0
    const began = performance.now()
    const transaction = db.actions.insert(row)
    const returned = performance.now()
    await transaction.isPersisted.promise
    if (index < 50) continue
    seconds.visible.push((called - began) / 1000)
    seconds.returned.push((returned - began) / 1000)
    seconds.synced.push((performance.now() - began) / 1000)
  }
  return Object.fromEntries(Object.entries(seconds).map(([what, each]) => [what, median(each)]))
}

const measured = wanted === 'visible' ? await visible(+given[0]) : await confirmed(given[0], +given[1])
console.log(JSON.stringify(measured))
process.exit(0)
