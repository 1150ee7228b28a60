/** What a source gave, with all that has to be known of it later, also after a restart. */
import type { RegistryCredentialSource } from '../api/registry-credential.ts'
import type { Entries } from './docker-config.ts'
import { hasEnded } from './refresh.ts'
import type { Check } from './verification.ts'

/** Names at an issuer, such as the id of a token. Never secret. */
export type Handle = Readonly<Record<string, string | number>>

export interface Login {
  entries: Entries
  issuedAt: Date
  /** Undefined where the issuer does not say. */
  expiresAt: Date | undefined
  /** Undefined: not refreshed by the clock. */
  refreshAt: Date | undefined
  handle: Handle | undefined
  /** What it was had from, where something has to be ended there: the credential may have another source by then. */
  source: RegistryCredentialSource | undefined
  /** A hash of what it was asked for with: when that changes, it is asked for again. */
  issuedFor: string
  /** The value of the refresh annotation that it answers. */
  request: string | undefined
  /** Undefined: not checked with the registry (yet). */
  check: Check | undefined
}

/**
 * The entries to write: none of a login that has ended, since a dead entry also breaks anonymous pulls.
 * @returns undefined when none is known
 */
export function entriesInUse(login: Login | undefined, now: Date): Entries | undefined {
  if (login === undefined) return undefined
  return login.expiresAt && hasEnded(login.expiresAt, now) ? none : login.entries
}

const none: Entries = new Map()
