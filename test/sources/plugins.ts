/** Plugins that tests write: shell scripts in folders that are gone after the test. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes an executable script. @param lines of `sh` @returns its path */
export function writePlugin(dir: string, name: string, ...lines: readonly string[]): string {
  const file = join(dir, name)
  writeFileSync(file, `${['#!/bin/sh', ...lines].join('\n')}\n`)
  chmodSync(file, 0o755)
  return file
}

/** A line of `sh` that prints a text as it is. */
export function print(text: string): string {
  return `printf '%s' '${text.replaceAll("'", "'\\''")}'`
}

/** A line of `sh` that prints an answer of the kubelet's protocol. */
export function answer(auth: object | null, rest: object = {}): string {
  const head = { apiVersion: 'credentialprovider.kubelet.k8s.io/v1', kind: 'CredentialProviderResponse' }
  return print(JSON.stringify({ ...head, cacheKeyType: 'Image', auth, ...rest }))
}
