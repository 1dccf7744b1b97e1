/** Sees a Fetch API `Request` as the port; reads its body from a bounded copy, so that the handler still has its own. */

import { mediaType } from '../core/request.ts'
import type { AuthRequest } from '../core/request.ts'

/** Longer bodies are not searched for a token or a CSRF value. */
export const maxBodyBytes = 65_536

export class FetchRequest implements AuthRequest {
  readonly #source: { readonly raw: Request }

  /** @param source What holds the request: middleware may put another one there before a guard reads it. */
  constructor(source: { readonly raw: Request }) {
    this.#source = source
  }

  get #request(): Request {
    return this.#source.raw
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    return this.#request.url
  }

  header(name: string): string | undefined {
    const value = this.#request.headers.get(name)
    // A request that came over HTTP/2, or was made by hand, carries its host in the URL alone.
    if (value === null) return name === 'host' ? new URL(this.#request.url).host : undefined
    return value
  }

  body(): unknown {
    const request = this.#request
    // Asked first: on some servers a body that was read is none any more.
    if (request.bodyUsed) throw new TypeError('The body was read before the guard: put the guard first')
    return request.body === null ? undefined : readBody(request, mediaType(this).endsWith('json'))
  }
}

/** The body as an object; `null` where it is too long, breaks off, or is not what its type says. */
async function readBody(request: Request, isJson: boolean): Promise<unknown> {
  try {
    const bytes = await readBounded(request.clone().body)
    if (bytes === null) return null
    const copy = new Response(bytes, {
      headers: { 'content-type': request.headers.get('content-type') ?? '' },
    })
    return isJson ? await copy.json() : Object.fromEntries(await copy.formData())
  } catch {
    // A broken upload holds no token and no CSRF value; the guard refuses it for that.
    return null
  }
}

async function readBounded(
  stream: ReadableStream<Uint8Array> | null,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const reader = stream?.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (let chunk = await reader?.read(); chunk?.value !== undefined; chunk = await reader?.read()) {
    length += chunk.value.length
    if (length > maxBodyBytes) {
      // Not awaited: a copy's cancellation ends no sooner than the handler has read, or given up, the original.
      reader?.cancel().catch(() => undefined)
      return null
    }
    chunks.push(chunk.value)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}
