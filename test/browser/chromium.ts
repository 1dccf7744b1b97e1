// The browser of these tests: where it is, how it starts, and what it says when it is not there. Never downloads one.

import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, LaunchOptions } from 'playwright-core'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

export const isChromiumThere = existsSync(executablePath)

/** One line, and what to do about it. */
export const chromiumMissing = `No browser tests: there is no ${executablePath}; install chromium or set CHROMIUM_PATH`

export function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch(withDefaults(options))
}

/** A new profile, gone when it is closed. */
export function launchChromiumProfile(options: LaunchOptions = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext('', withDefaults(options))
}

function withDefaults(options: LaunchOptions): LaunchOptions {
  return {
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
      ...(options.args ?? []),
    ],
  }
}
