// A program that is asked in lines: one JSON object in, one JSON line out, in turn.
//
// It ends when its standard input does, so that it never outlives the test run.
import { createInterface } from 'node:readline'

// Standard output carries answers alone; what libraries log belongs on standard error.
console.log = console.info = console.debug = console.error

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)

/** Answer `{command, ...arguments}` by `commands[command](arguments)` until the input ends. */
export async function answer(commands, greeting = null) {
  say({ result: greeting })
  for await (const line of createInterface({ input: process.stdin })) {
    const { command, ...given } = JSON.parse(line)
    try {
      say({ result: (await commands[command](given)) ?? null })
    } catch (error) {
      say({ error: String(error?.stack ?? error) })
    }
  }
  process.exit(0)
}
