/** Runs PyJWT in one long-lived process and asks it in JSON lines; holds no test itself. */

import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Jwk } from '../../src/index.ts'

export const python = process.env['PYTHON_PATH'] ?? '/usr/bin/python3'

export const isPyjwtThere = spawnSync(python, ['-c', 'import jwt, cryptography']).status === 0

/** One line, and what to do about it. */
export const pyjwtMissing = `No tests against PyJWT: ${python} cannot import jwt and cryptography; install Debian's python3-jwt and python3-cryptography or set PYTHON_PATH`

/** A key in both forms that PyJWT reads and writes. */
export interface KeyForms {
  readonly pem: string
  readonly jwk: Jwk
}

/** What PyJWT says of a token: its claims as JSON, the class of its refusal, or of an error that it did not expect. */
export type Judgement =
  | { readonly claims: string; readonly refused?: never; readonly crashed?: never }
  | { readonly refused: string; readonly claims?: never; readonly crashed?: never }
  | { readonly crashed: string; readonly claims?: never; readonly refused?: never }

interface Steps {
  describe(given: object): { readonly version: string; readonly algorithms: readonly string[] }
  make_secret(given: { algorithm: string }): { readonly text: string; readonly jwk: Jwk }
  make_pair(given: { kind: string; algorithm: string; short?: boolean }): {
    readonly private: KeyForms
    readonly public: KeyForms
  }
  sign(given: { key: string | Jwk; algorithm: string; claims: string; headers?: object }): string
  verify(given: {
    token: string
    key: string | Jwk
    algorithms: readonly string[]
    audience?: string | readonly string[] | undefined
    issuer?: string | undefined
    leeway?: number
  }): Judgement
}

export interface Pyjwt {
  ask<Name extends keyof Steps>(
    step: Name,
    given: Parameters<Steps[Name]>[0],
  ): Promise<ReturnType<Steps[Name]>>
  stop(): Promise<void>
}

interface Pending {
  resolve(answer: never): void
  reject(error: Error): void
}

/** @param nowSeconds What its clock shows, for ever. */
export function startPyjwt(nowSeconds: number): Pyjwt {
  const program = fileURLToPath(new URL('peer.py', import.meta.url))
  const child = spawn(python, [program, `${nowSeconds}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const pending: Pending[] = []
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      for (const { reject } of pending.splice(0)) reject(new Error('The process of PyJWT has ended'))
      resolve()
    })
  })
  createInterface(child.stdout).on('line', (line) => {
    const { answer, error } = JSON.parse(line) as { answer: never; error?: string }
    const next = pending.shift()
    if (error === undefined) next?.resolve(answer)
    else next?.reject(new Error(`PyJWT could not do it: ${error}`))
  })
  return {
    ask: (step, given) =>
      new Promise((resolve, reject) => {
        pending.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify({ step, with: given })}\n`)
      }),
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
