// The TypeScript reference server, in memory, on a free port; its greeting is its URL.
//
// Its argument, if there is one, is how long a long-poll waits, in milliseconds.
import { DurableStreamTestServer } from '@durable-streams/server'
import { answer } from './lines.mjs'

const [longPollTimeout] = process.argv.slice(2).map(Number)
const server = new DurableStreamTestServer({ host: '127.0.0.1', port: 0, longPollTimeout })
await answer({}, await server.start())
