// The timeline: one entry for each request, newest first; the server's notes add what the page cannot know.

import { fillChecks } from './checks.ts'
import { senderOf, type Note } from './notes.ts'
import type { Exchange } from './requests.ts'
import { fillTemplate, findElement } from './template.ts'

const timeFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** Older ones go. */
const mostEntries = 60

export function addEntry(list: HTMLElement, exchange: Exchange, meaning: string): void {
  const { call } = exchange
  const element = createEntry(exchange.status, {
    method: call.method,
    path: call.path,
    status: statusLine(exchange),
    time: timeFormat.format(exchange.time),
    meaning,
    from: null,
    csrf: csrfLine(exchange),
    cookies: call.cookies === 'sent' ? null : 'left out by this page',
    code: exchange.code,
    reason: null,
    detail: exchange.detail,
    events: null,
    body: exchange.body === '' ? null : exchange.body,
  })
  element.dataset['note'] = String(exchange.note ?? '')
  // The server's note may have been here first.
  const noted = exchange.note === null ? null : findEntry(list, exchange.note)
  if (noted === null) list.prepend(element)
  else {
    findElement('.checks', HTMLElement, element).replaceWith(findElement('.checks', HTMLElement, noted))
    noted.replaceWith(element)
  }
  shorten(list)
}

function findEntry(list: HTMLElement, note: number): HTMLElement | null {
  return list.querySelector<HTMLElement>(`[data-note="${note}"]`)
}

/** Completes the entry of a request of this page, or adds one for a request that came from elsewhere. */
export function addNote(list: HTMLElement, note: Note, meaning: string): void {
  const entry = findEntry(list, note.id)
  if (entry !== null) {
    fillChecks(findElement('.checks', HTMLElement, entry), note.checks)
    return
  }
  const element = createEntry(note.status, {
    method: note.method,
    path: note.route,
    status: String(note.status),
    time: timeFormat.format(note.time),
    meaning,
    from: senderOf(note),
    csrf: note.csrfHeader ? 'sent' : 'not sent',
    cookies: note.cookies.length === 0 ? 'none came along' : note.cookies.join(', '),
    code: note.code,
    reason: note.reason,
    detail: note.detail,
    events: note.events.length === 0 ? null : note.events.join(', '),
    body: null,
  })
  element.dataset['note'] = String(note.id)
  if (note.run !== null) element.dataset['attack'] = 'yes'
  fillChecks(findElement('.checks', HTMLElement, element), note.checks)
  const older = [...list.children].find((other) => isOlder(other, note.id))
  list.insertBefore(element, older ?? null)
  shorten(list)
}

function isOlder(entry: Element, id: number): boolean {
  const other = Number(entry.getAttribute('data-note'))
  return other > 0 && other < id
}

function createEntry(status: number, texts: Record<string, string | null>): HTMLElement {
  const element = findElement('li', HTMLElement, fillTemplate('entry', texts))
  element.dataset['outcome'] = status >= 200 && status < 300 ? 'accepted' : 'refused'
  return element
}

function shorten(list: HTMLElement): void {
  while (list.childElementCount > mostEntries) list.lastElementChild?.remove()
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

function csrfLine({ csrfCookie }: Exchange): string {
  return csrfCookie === null ? 'not sent' : `sent, copied from ${csrfCookie}`
}
