/** `h3` 1 (Nitro 2, Nuxt 4): its event holds Node's request and response, and its middleware has no `next`. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { AuthError } from '../core/errors.ts'
import type { AuthRequest, AuthResponse } from '../core/request.ts'
import { NodeRequest, NodeResponse, sendProblem } from './_node.ts'

/** What is used of an `H3Event` of h3 1. */
export interface H3NodeEvent {
  readonly node: { readonly req: IncomingMessage; readonly res: ServerResponse }
}

class Outgoing extends NodeResponse {
  /** The event stands for the response of Node that it holds. */
  override of(target: unknown): AuthResponse | undefined {
    return super.of(isNodeEvent(target) ? target.node.res : target)
  }
}

/** Tells the two kinds of event apart: that of h3 2 holds a `Request`. */
export function isNodeEvent(event: unknown): event is H3NodeEvent {
  if (typeof event !== 'object' || event === null || !('node' in event)) return false
  if ('req' in event && event.req instanceof Request) return false
  const { node } = event
  return typeof node === 'object' && node !== null && 'req' in node && 'res' in node
}

export function nodePorts({ node }: H3NodeEvent): [AuthRequest, AuthResponse] {
  return [new NodeRequest(node.req), new Outgoing(node.res)]
}

/** Writes the refusal, after which h3 asks no other handler. Throws on what is none, and what comes too late. */
export function refuse(error: unknown, { node }: H3NodeEvent): void {
  if (!AuthError.is(error) || node.res.headersSent) throw error
  sendProblem(error, node.res)
}

/** Keeps an answer that has cookies from being stored: h3 1 lets headers of a `Response` replace those set before. */
export function keepPrivate(answer: unknown, { node }: H3NodeEvent): unknown {
  if (!(answer instanceof Response) || node.res.getHeader('cache-control') !== 'no-store') return answer
  const kept = new Response(answer.body, answer)
  kept.headers.set('cache-control', 'no-store')
  return kept
}
