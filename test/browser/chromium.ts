// The browser of these tests: where it is, how it starts, and what it says when it is not there. Never downloads one.

import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser, LaunchOptions } from 'playwright-core'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

export const isChromiumThere = existsSync(executablePath)

/** One line, and what to do about it. */
export const chromiumMissing = `No browser tests: there is no ${executablePath}; install chromium or set CHROMIUM_PATH`

export function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({
    ...options,
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
