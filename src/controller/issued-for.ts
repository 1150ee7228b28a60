/** What a login depends on, as one hash: while it stays the same, asking the source again gives nothing else. */
import { createHash } from 'node:crypto'
import type { Credential } from '../model/credential.ts'

/** @param sourceVersion what the source, or the Secret it proves itself with, is at */
export function issuedFor({ source, registries }: Credential, sourceVersion: string): string {
  const what = JSON.stringify([source, registries, sourceVersion])
  return createHash('sha256').update(what).digest('base64url').slice(0, 22)
}
