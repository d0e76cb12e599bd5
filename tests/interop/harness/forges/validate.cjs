// Reads {"query", "variables"} from standard input and prints, as a JSON list, what GitHub's published GraphQL schema has
// against them:   node validate.cjs MODULES < request.json
'use strict'
const fs = require('fs'), path = require('path')
const modules = process.argv[2]
const { buildSchema, parse, validate } = require(path.join(modules, 'graphql'))
const published = fs.readFileSync(path.join(modules, '@octokit/graphql-schema/schema.graphql'), 'utf8')
const schema = buildSchema(published, { assumeValid: true, assumeValidSDL: true }) // it defines a field twice
const { query, variables } = JSON.parse(fs.readFileSync(0, 'utf8'))
const document = parse(query)
const definitions = document.definitions[0].variableDefinitions ?? []
const { getVariableValues } = require(path.join(modules, 'graphql/execution'))
const found = getVariableValues(schema, definitions, variables).errors ?? []
process.stdout.write(JSON.stringify([...validate(schema, document), ...found].map((error) => error.message)))
