// The size of what a bundler makes of each subpath of the package.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

export interface BundleSize {
  readonly minified: number
  /** Compressed at the highest level. */
  readonly gzip: number
}

/**
 * Bundles what the package exports, with the core, without frameworks and drivers.
 *
 * @param root The folder of the package, built.
 * @returns by subpath, such as `./hono`
 */
export async function bundleSizes(root: URL): Promise<ReadonlyMap<string, BundleSize>> {
  const { exports }: { exports: Record<string, string | { readonly default: string }> } = JSON.parse(
    readFileSync(new URL('package.json', root), 'utf8'),
  )
  const sizes = new Map<string, BundleSize>()
  for (const [subpath, target] of Object.entries(exports)) {
    if (typeof target !== 'string')
      sizes.set(subpath, await bundleSize(fileURLToPath(new URL(target.default, root))))
  }
  return sizes
}

async function bundleSize(file: string): Promise<BundleSize> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
  })
  const bytes = outputFiles[0]?.contents ?? new Uint8Array()
  return { minified: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
}
