// The measurement that is a test as well: `node run.js <rounds> <store>`. It needs nothing but what the tests need.

import { format } from '../report.ts'
import { measureConvergence } from './convergence.ts'
import { storeKinds } from './stores.ts'

const [, , rounds = '20', ...names] = process.argv
const kinds = storeKinds.filter((kind) => names.includes(kind))
console.log(format(await measureConvergence(Number(rounds), kinds)))
