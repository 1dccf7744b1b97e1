// A certificate of our own, made anew for each run, and the browser that takes it for good, and no other.

import { createHash, X509Certificate } from 'node:crypto'
import type { Browser, BrowserContext } from 'playwright-core'
import { generate } from 'selfsigned'
import { launchChromium, launchChromiumProfile } from './chromium.ts'

/** What a server needs to speak https. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** Any host below a domain that will never be anybody's: RFC 2606 section 2. */
export async function createCertificate(): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'shop.example' }])
  return { key, cert }
}

/** A browser for which every host of `.example` is this machine. Its contexts are private windows. */
export function launchWithCertificate(certificate: Certificate): Promise<Browser> {
  return launchChromium({ args: argumentsFor(certificate) })
}

/** A window that is not private: only there does Chromium keep and send cookies of other sites' frames and images. */
export function launchProfile(certificate: Certificate): Promise<BrowserContext> {
  return launchChromiumProfile({ args: argumentsFor(certificate) })
}

function argumentsFor({ cert }: Certificate): string[] {
  const publicKey = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  const fingerprint = createHash('sha256').update(publicKey).digest('base64')
  return [
    '--host-resolver-rules=MAP *.example 127.0.0.1',
    `--ignore-certificate-errors-spki-list=${fingerprint}`,
  ]
}
