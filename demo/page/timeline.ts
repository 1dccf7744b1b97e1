// The timeline: one entry for each exchange, newest first.

import type { Exchange } from './requests.ts'
import { fillTemplate } from './template.ts'

const timeFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

export function addEntry(list: HTMLElement, exchange: Exchange, meaning: string): void {
  const fragment = fillTemplate('entry', {
    method: exchange.call.method,
    path: exchange.call.path,
    status: statusLine(exchange),
    time: timeFormat.format(exchange.time),
    meaning,
    csrf: csrfLine(exchange),
    cookies: exchange.call.cookies === 'sent' ? null : 'left out by this page',
    code: exchange.code,
    detail: exchange.detail,
    body: exchange.body === '' ? null : exchange.body,
  })
  fragment.firstElementChild?.setAttribute('data-outcome', outcomeOf(exchange))
  list.prepend(fragment)
}

/** The exchange in one line, e.g. `POST /refresh: 401 csrf_missing`. */
export function summaryOf(exchange: Exchange): string {
  const {
    call: { method, path },
    code,
  } = exchange
  return `${method} ${path}: ${code === null ? statusLine(exchange) : `${exchange.status} ${code}`}`
}

function statusLine({ status, statusText }: Exchange): string {
  return status === 0 ? 'no answer' : `${status} ${statusText}`.trim()
}

function outcomeOf({ status }: Exchange): 'accepted' | 'refused' {
  return status >= 200 && status < 300 ? 'accepted' : 'refused'
}

function csrfLine({ csrfCookie }: Exchange): string {
  return csrfCookie === null ? 'not sent' : `sent, copied from ${csrfCookie}`
}
