/** What a source gave, with all that has to be known of it later, also after a restart. */
import type { RegistryCredentialSource } from '../api/registry-credential.ts'
import type { Entries } from './docker-config.ts'
import { latest, type Moment } from './moment.ts'
import { endOf } from './refresh.ts'
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

/** A login as this process has it. */
export interface HeldLogin extends Login {
  /**
   * When it was got, or read from what was kept. It lives no longer than from then to its end, by whichever clock says so
   * first: the wall clock may be set back.
   */
  gotAt: Moment
}

/** Milliseconds until it has ended beyond any doubt about clocks. Infinity where it does not say when it ends. */
export function msUntilEnd({ expiresAt, gotAt }: HeldLogin, now: Moment): number {
  return expiresAt ? endOf(expiresAt) - latest(now, gotAt).getTime() : Number.POSITIVE_INFINITY
}

export function isOver(login: HeldLogin, now: Moment): boolean {
  return msUntilEnd(login, now) <= 0
}

/** Milliseconds until it is to be had anew. Infinity: not by the clock. */
export function msUntilRefresh({ refreshAt, gotAt }: HeldLogin, now: Moment): number {
  return refreshAt ? refreshAt.getTime() - latest(now, gotAt).getTime() : Number.POSITIVE_INFINITY
}

/**
 * The entries to write: none of a login that has ended, since a dead entry also breaks anonymous pulls.
 * @returns undefined when none is known
 */
export function entriesInUse(login: HeldLogin | undefined, now: Moment): Entries | undefined {
  if (login === undefined) return undefined
  return isOver(login, now) ? none : login.entries
}

const none: Entries = new Map()
