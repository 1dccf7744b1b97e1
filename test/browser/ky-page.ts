// A page that uses ky.

import ky, { isHTTPError } from 'ky'
import { createAuthFetch, readProblem } from 'tallystick/client'
import type { HttpClient } from './http-client.ts'

window.news = []
const authFetch = createAuthFetch({ onSignedOut: () => window.news.push('signed out') })
const http = ky.create({ fetch: authFetch })

window.http = {
  async send(method, url, { json, body, timeoutMs, onUploadProgress } = {}) {
    const response = await http(url, {
      method,
      ...(json !== undefined && { json }),
      ...(body !== undefined && { body }),
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
      ...(onUploadProgress !== undefined && { onUploadProgress }),
    })
    return `${response.status} ${await response.text()}`
  },
  async codeOf(error) {
    return isHTTPError(error) ? (await readProblem(error.response))?.code : undefined
  },
} satisfies HttpClient
