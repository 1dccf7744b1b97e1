// What the pages with axios and with ky have in common, so that one test runs through both.

export interface HttpClient {
  /** Gives the status and the text; rejects as the library does. */
  send(method: string, url: string, options?: HttpOptions): Promise<string>
  /** The code of the refusal that a request was rejected with, read as the documentation says. */
  codeOf(error: unknown): Promise<string | undefined>
}

export interface HttpOptions {
  readonly json?: unknown
  readonly body?: FormData | Blob
  readonly timeoutMs?: number
  readonly onUploadProgress?: () => void
}

declare global {
  interface Window {
    http: HttpClient
    /** What the page was told. */
    news: string[]
  }
}
