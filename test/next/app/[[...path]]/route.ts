// Every route of the contract.

import { answerContract } from '../../contract.ts'

export const GET = answerContract
export const POST = answerContract
export const DELETE = answerContract
export const OPTIONS = answerContract
