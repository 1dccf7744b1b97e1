// The body of POST /login: a user name and a password, or what is wrong with it. It never repeats a value.

import { z } from 'zod'

const schema = z.object({ username: z.string(), password: z.string() })
const fields = ['username', 'password'] as const

export type Credentials = z.infer<typeof schema>
type Problem = { loc: string[]; msg: string; type: string }
type Refusal = { detail: Problem[] }

const malformed: Problem = { loc: ['body'], msg: 'malformed JSON', type: 'value_error.jsondecode' }
const notJson: Problem = { loc: ['body'], msg: 'content type is not JSON', type: 'value_error.content_type' }
const notObject: Problem = { loc: ['body'], msg: 'value is not a valid dict', type: 'type_error.dict' }

/** The problems have the shape of FastAPI's 422 answers and always name each field that is concerned. */
export function readCredentials(contentType: string | undefined, text: string): Credentials | Refusal {
  if (text === '') return { detail: bothMissing() }
  if (!isJson(contentType)) return { detail: [notJson, ...bothMissing()] }
  const body = parseJson(text)
  if (body === undefined) return { detail: [malformed, ...bothMissing()] }
  const result = schema.safeParse(body)
  if (result.success) return result.data
  return { detail: result.error.issues.flatMap((issue) => problemsOf(issue, body)) }
}

function problemsOf({ path: [field] }: z.core.$ZodIssue, body: unknown): Problem[] {
  if (field === undefined) return [notObject, ...bothMissing()]
  const isMissing = !Object.hasOwn(Object(body), field)
  return [isMissing ? missing(String(field)) : notString(String(field))]
}

function bothMissing(): Problem[] {
  return fields.map(missing)
}

function missing(field: string): Problem {
  return { loc: ['body', field], msg: 'field required', type: 'value_error.missing' }
}

function notString(field: string): Problem {
  return { loc: ['body', field], msg: 'str type expected', type: 'type_error.str' }
}

/** As in the ancestor, a body without a content type is taken as JSON. */
function isJson(contentType: string | undefined): boolean {
  return contentType === undefined || /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType)
}

/** `undefined` is no JSON value, so it can stand for a text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
