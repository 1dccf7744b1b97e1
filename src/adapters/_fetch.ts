/** Sees a Fetch API `Request` as the port; reads its body from a bounded copy, so that the handler still has its own. */

import type { AuthRequest } from '../core/request.ts'

/** Longer bodies are not searched for a token or a CSRF value. */
const maxBodyBytes = 65_536

export class FetchRequest implements AuthRequest {
  readonly #request: Request

  constructor(request: Request) {
    this.#request = request
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

  body(): Promise<unknown> {
    return readBody(this.#request)
  }
}

/** The body as an object; `null` where it is too long, breaks off, or is not what its type says. */
async function readBody(request: Request): Promise<unknown> {
  if (request.bodyUsed) throw new TypeError('The body was read before the guard: put the guard first')
  const type = request.headers.get('content-type') ?? ''
  try {
    const bytes = await readBounded(request.clone().body)
    if (bytes === null) return null
    const copy = new Response(bytes, { headers: { 'content-type': type } })
    return type.includes('json') ? await copy.json() : Object.fromEntries(await copy.formData())
  } catch {
    // A broken upload holds no token and no CSRF value; the guard refuses it for that.
    return null
  }
}

async function readBounded(
  stream: ReadableStream<Uint8Array> | null,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream ?? []) {
    length += chunk.length
    if (length > maxBodyBytes) return null
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}
