// Judges texts by the expressions of `streamdb.formats`.
import { answer } from './lines.mjs'

let expressions = {}

await answer({
  learn({ patterns }) {
    const entries = Object.entries(patterns)
    expressions = Object.fromEntries(entries.map(([name, it]) => [name, new RegExp(it, 'u')]))
  },

  judge: ({ format, texts }) => texts.map((text) => expressions[format].test(text)),
})
