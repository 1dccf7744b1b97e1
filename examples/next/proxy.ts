// Refreshes before a page is rendered, which pages themselves cannot.

import { proxy as createProxy } from './auth.ts'

export const proxy = createProxy()
