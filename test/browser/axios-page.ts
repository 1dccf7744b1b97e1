// A page that uses axios.

import axios from 'axios'
import { createAuthFetch } from 'tallystick/client'
import type { AuthProblem } from 'tallystick/client'
import type { HttpClient } from './http-client.ts'

window.news = []
const authFetch = createAuthFetch({ onSignedOut: () => window.news.push('signed out') })
const api = axios.create({ adapter: 'fetch', env: { fetch: authFetch } })

window.http = {
  async send(method, url, { json, body, timeoutMs, onUploadProgress } = {}) {
    const { status, data } = await api.request<unknown>({
      method,
      url,
      data: json ?? body,
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
      ...(onUploadProgress !== undefined && { onUploadProgress }),
    })
    return `${status} ${typeof data === 'string' ? data : JSON.stringify(data)}`
  },
  async codeOf(error) {
    return axios.isAxiosError<AuthProblem>(error) ? error.response?.data.code : undefined
  },
} satisfies HttpClient
