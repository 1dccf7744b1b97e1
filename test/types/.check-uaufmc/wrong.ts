import { createAuth } from '../../../src/index.ts'
import { expectNoAny, expectType } from '../_assert.ts'
import type { Equal, IsAny } from '../_assert.ts'
// @ts-expect-error but it is right
createAuth({ secretKey: 'x' })
expectType<Equal<unknown, any>>()
expectType<IsAny<unknown>>()
expectNoAny<any>(JSON.parse('1'))