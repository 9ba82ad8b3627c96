// `node --import .../collect_hook.mjs`: adds the aggregate `collect` to TanStack DB as it is loaded.
// The announcement's program uses one, and no release has it. The installed files are left alone.
import { register } from 'node:module'

const hooks = `
  import { readFile } from 'node:fs/promises'
  import { fileURLToPath } from 'node:url'

  export async function load(url, context, next) {
    if (!url.endsWith('/@tanstack/db/dist/esm/query/compiler/group-by.js')) return next(url, context)
    const source = await readFile(fileURLToPath(url), 'utf8')
    const place = 'case \`max\`:'
    if (!source.includes(place)) throw new Error('there is no place for collect in ' + url)
    const reduce = '(values) => values.flatMap(([value, times]) => Array(times).fill(value))'
    const collect = 'case \`collect\`: return { preMap: rawValueExtractor, reduce: ' + reduce + ' };'
    return { format: 'module', source: source.replace(place, collect + place), shortCircuit: true }
  }
`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
