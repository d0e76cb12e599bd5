// Reads a list of {"query", "variables", "answer"} from standard input and prints, for each, the list of what GitHub's
// published GraphQL schema has against it:   node validate.cjs MODULES < operations.json
//
// An answer is held against the schema by executing the operation with the answer as what there is: each field that was
// asked for must be there, of its type, and no other.  Without an answer only the operation is looked at.
'use strict'
const fs = require('fs'), path = require('path')
const { isDeepStrictEqual } = require('util')
const modules = process.argv[2]
const { buildSchema, executeSync, parse, validate } = require(path.join(modules, 'graphql'))
const { getVariableValues } = require(path.join(modules, 'graphql/execution'))
const published = fs.readFileSync(path.join(modules, '@octokit/graphql-schema/schema.graphql'), 'utf8')
const schema = buildSchema(published, { assumeValid: true, assumeValidSDL: true }) // it defines a field twice

function complaints({ query, variables, answer }) {
  const document = parse(query)
  const definitions = document.definitions[0].variableDefinitions ?? []
  const found = [...validate(schema, document), ...(getVariableValues(schema, definitions, variables).errors ?? [])]
  if (found.length || !answer) return found.map((error) => error.message)
  return [...unlike(document, variables, answer), ...(answer.errors ?? []).flatMap(wrong)]
}

// Any of an interface's types will do: only what all of them have is asked for.
const typeResolver = (_value, _context, _info, abstract) => schema.getPossibleTypes(abstract)[0].name

function unlike(document, variableValues, answer) {
  if (answer.data === null) return []
  const done = executeSync({ schema, document, variableValues, rootValue: answer.data, typeResolver })
  if (done.errors) return done.errors.map((error) => error.message)
  const plain = JSON.parse(JSON.stringify(done.data))
  return isDeepStrictEqual(plain, answer.data) ? [] : [`it would be ${JSON.stringify(plain)}`]
}

// The GraphQL specification, section 7.1.2, "Errors".
function wrong(error) {
  return typeof error.message === 'string' ? [] : [`an error without a message: ${JSON.stringify(error)}`]
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(complaints)))
