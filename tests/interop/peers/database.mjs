// Follows streams by `createStreamDB` of `@durable-streams/state/db`, and writes by its
// optimistic actions. Databases are told apart by the names that they are opened under.
import { createStreamDB } from '@durable-streams/state/db'
import { answer } from './lines.mjs'
import { schema } from './schema.mjs'

const TIMEOUT = 15_000

const databases = new Map()

const rowsOf = ({ collections }) =>
  Object.fromEntries(
    Object.entries(collections).map(([name, rows]) => [name, Object.fromEntries(rows.entries())]),
  )

/** The action of the library's documentation: show at once, append with a txid, await its echo. */
const actions = ({ db, stream }) => ({
  put: {
    onMutate: ({ collection, value }) => {
      db.collections[collection].insert(value)
    },
    mutationFn: async ({ collection, value, txid }) => {
      await stream.append(JSON.stringify(schema[collection].insert({ value, headers: { txid } })))
      await db.utils.awaitTxId(txid, TIMEOUT)
    },
  },
})

await answer({
  async open({ name, url, live }) {
    const streamOptions = { url, contentType: 'application/json' }
    const db = createStreamDB({ streamOptions, live, state: schema, actions })
    const changes = []
    await db.preload()
    for (const [collection, rows] of Object.entries(db.collections)) {
      const note = (batch) => {
        for (const { type, key } of batch) changes.push([collection, type, key])
      }
      // Without the initial rows it would keep their deletions to itself.
      rows.subscribeChanges(note, { includeInitialState: true })
    }
    databases.set(name, { db, changes })
  },

  // The rows once the txid has come by.
  async rows({ name, txid }) {
    const { db } = databases.get(name)
    if (txid) await db.utils.awaitTxId(txid, TIMEOUT)
    return rowsOf(db)
  },

  // `[collection, insert | update | delete, key]` of all that was seen, the rows of the first load as inserts.
  changes: ({ name }) => databases.get(name).changes,

  // Tells whether the row showed before it was sent.
  async put({ name, collection, value, txid }) {
    const { db } = databases.get(name)
    const transaction = db.actions.put({ collection, value, txid })
    const key = String(value[schema[collection].primaryKey])
    const showedAtOnce = db.collections[collection].has(key)
    await transaction.isPersisted.promise
    return showedAtOnce
  },

  close({ name }) {
    databases.get(name).db.close()
    databases.delete(name)
  },
})
