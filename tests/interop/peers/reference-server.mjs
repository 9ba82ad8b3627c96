// The TypeScript reference server, in memory, on a free port; its greeting is its URL.
import { DurableStreamTestServer } from '@durable-streams/server'
import { answer } from './lines.mjs'

const server = new DurableStreamTestServer({ host: '127.0.0.1', port: 0 })
await answer({}, await server.start())
