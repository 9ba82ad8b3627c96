// Reads and writes streams by generated packages, which are compiled and given as paths of modules.
import { pathToFileURL } from 'node:url'
import { DurableStream, stream } from '@durable-streams/client'
import { MaterializedState } from '@durable-streams/state'
import { createStreamDB } from '@durable-streams/state/db'
import { answer } from './lines.mjs'

const contentType = 'application/json'
const TIMEOUT = 15_000

const stateSchemaOf = async (module) => (await import(pathToFileURL(module))).stateSchema

const databases = new Map()

await answer({
  // Writes by the helpers of the generated state schema.
  async append({ url, module, writes }) {
    const stateSchema = await stateSchemaOf(module)
    const handle = await DurableStream.create({ url, contentType })
    for (const { collection, operation, ...given } of writes) {
      await handle.append(JSON.stringify(stateSchema[collection][operation](given)))
    }
  },

  async open({ url, module }) {
    const state = await stateSchemaOf(module)
    const db = createStreamDB({ streamOptions: { url, contentType }, state })
    await db.preload()
    databases.set(url, db)
  },

  // The rows of a database, once the txid has come by.
  async rows({ url, txid }) {
    const db = databases.get(url)
    await db.utils.awaitTxId(txid, TIMEOUT)
    const collections = Object.entries(db.collections)
    return Object.fromEntries(
      collections.map(([name, rows]) => [name, Object.fromEntries(rows.entries())]),
    )
  },

  close({ url }) {
    databases.get(url).close()
    databases.delete(url)
  },

  // The rows as they stand on the stream, and what the generated schemas say of each.
  async materialize({ url, module }) {
    const stateSchema = await stateSchemaOf(module)
    const state = new MaterializedState()
    state.applyBatch(await (await stream({ url, offset: '-1', live: false })).json())
    return Object.fromEntries(
      Object.entries(stateSchema).map(([name, { type, schema }]) => {
        const rows = [...state.getType(type)]
        const issues = rows.flatMap(([, row]) => schema['~standard'].validate(row).issues ?? [])
        return [name, { rows: Object.fromEntries(rows), issues }]
      }),
    )
  },
})
