// The browser of these tests: where it is, how it starts, and what it says when it is not there. Never downloads one.

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, LaunchOptions } from 'playwright-core'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

export const isChromiumThere = existsSync(executablePath)

/** One line, and what to do about it. */
export const chromiumMissing = `No browser tests: there is no ${executablePath}; install chromium or set CHROMIUM_PATH`

export function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch(withDefaults(options))
}

/** A new profile, which keeps the cookies of third parties; gone when it is closed. */
export async function launchChromiumProfile(options: LaunchOptions = {}): Promise<BrowserContext> {
  const folder = await mkdtemp(join(tmpdir(), 'tallystick-profile-'))
  await mkdir(join(folder, 'Default'))
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }
  await writeFile(join(folder, 'Default', 'Preferences'), JSON.stringify(preferences))
  const context = await chromium.launchPersistentContext(folder, withDefaults(options))
  context.once('close', () => void rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  return context
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
