// Answers the refusals that handlers throw.

import { authErrors } from '../utils/auth.ts'

export default authErrors
