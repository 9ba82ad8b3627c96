// What TypeScript and prettier make of generated modules, and what the modules hold when they run.
import { createRequire } from 'node:module'
import prettier from 'prettier'
import ts from 'typescript'
import { answer } from './lines.mjs'

const require = createRequire(import.meta.url)

const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 }

/** The module as JavaScript, and what the parser has to say against it. */
function transpile(fileName, source) {
  const { outputText, diagnostics } = ts.transpileModule(source, {
    fileName,
    compilerOptions,
    reportDiagnostics: true,
  })
  const errors = diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
  return { outputText, errors }
}

let evaluated = { source: undefined, exports: undefined }

/** What `index.ts` exports. The last one is kept: it is asked for verdicts and then to write. */
function run(source) {
  if (evaluated.source !== source) evaluated = { source, exports: evaluate(source) }
  return evaluated.exports
}

/** Evaluate `index.ts`; of the other modules it needs the types alone. */
function evaluate(source) {
  const { outputText, errors } = transpile('index.ts', source)
  if (errors.length) throw new Error(errors.join('\n'))
  const exports = {}
  new Function('require', 'exports', outputText)(require, exports)
  return exports
}

const check = (schema, value) => {
  const result = schema['~standard'].validate(value)
  return 'issues' in result ? { issues: result.issues } : { same: result.value === value }
}

const literalValue = (node) => {
  if (node.kind === ts.SyntaxKind.NullKeyword) return null
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false
  if (ts.isPrefixUnaryExpression(node)) return -Number(node.operand.text)
  return ts.isNumericLiteral(node) ? Number(node.text) : node.text
}

const literals = (type) =>
  (ts.isUnionTypeNode(type) ? [...type.types] : [type])
    .filter(ts.isLiteralTypeNode)
    .map((node) => literalValue(node.literal))

const textOf = (comment) => ts.getTextOfJSDocComment(comment) ?? ''

function documentation({ jsDoc = [] }) {
  const tags = jsDoc.flatMap(({ tags = [] }) => [...tags])
  return {
    text: jsDoc.map(({ comment }) => textOf(comment)).join('\n'),
    tags: tags.map(({ tagName, comment }) => [tagName.text, textOf(comment)]),
  }
}

/** Each type of `models.ts`: its members or the literals of its union, and its comments. */
function types(source) {
  const file = ts.createSourceFile('models.ts', source, ts.ScriptTarget.ES2022)
  return file.statements.map((statement) => ({
    name: statement.name.text,
    ...documentation(statement),
    ...(ts.isInterfaceDeclaration(statement)
      ? {
          members: statement.members.filter(ts.isPropertySignature).map((member) => ({
            name: member.name.text,
            optional: member.questionToken !== undefined,
            literals: literals(member.type),
            ...documentation(member),
          })),
        }
      : { literals: literals(statement.type) }),
  }))
}

await answer({
  format: ({ sources }) =>
    Promise.all(sources.map((source) => prettier.format(source, { parser: 'typescript', printWidth: 100 }))),

  errors: ({ files }) =>
    Object.entries(files).flatMap(([name, source]) => transpile(name, source).errors),

  types: ({ source }) => types(source),

  // What `index.ts` exports, but for functions.
  exports: ({ source }) => {
    const { stateSchema, actionInputs = {}, jsonSchema } = run(source)
    const collections = Object.entries(stateSchema).map(([name, { type, primaryKey }]) => ({
      name,
      type,
      primaryKey,
    }))
    return { collections, inputs: Object.keys(actionInputs), jsonSchema }
  },

  // The verdicts on rows of a collection, or on inputs of an action, which are texts of JSON.
  verdicts: ({ source, collection, action, texts }) => {
    const { stateSchema, actionInputs } = run(source)
    const schema = action === undefined ? stateSchema[collection].schema : actionInputs[action]
    return texts.map((text) => check(schema, JSON.parse(text)))
  },

  // Valid rows of a collection as they are written again.
  rewritten: ({ source, collection, texts }) => {
    const { schema } = run(source).stateSchema[collection]
    const value = (text) => schema['~standard'].validate(JSON.parse(text)).value
    return texts.map((text) => JSON.stringify(value(text)))
  },

  // Which texts each pattern is found in; the message if it is no pattern.
  searches: ({ patterns, texts }) =>
    patterns.map((pattern) => {
      try {
        const expression = new RegExp(pattern, 'u')
        return texts.map((text) => expression.test(text))
      } catch (error) {
        return String(error)
      }
    }),
})
