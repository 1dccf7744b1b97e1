// The few words that are said to libraries without types.

declare module 'autocannon' {
  interface Client {
    setRequests(requests: readonly object[]): void
  }
  interface Result {
    readonly '2xx': number
    readonly non2xx: number
    readonly errors: number
    readonly timeouts: number
    readonly duration: number
  }
  export default function autocannon(options: {
    readonly url: string
    readonly connections: number
    readonly duration: number
    readonly setupClient: (client: Client) => void
  }): Promise<Result>
}

declare module 'cookie-parser' {
  import type { RequestHandler } from 'express'
  export default function cookieParser(): RequestHandler
}
