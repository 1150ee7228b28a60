/** A login as it is kept between two runs of the operator: JSON in base64, as a value of a Secret. */
import type { RegistryCredentialSource } from '../api/registry-credential.ts'
import { decodeBase64, encodeBase64, parseDockerConfigJson } from './docker-config.ts'
import type { Handle, HeldLogin, Login } from './login.ts'
import type { Moment } from './moment.ts'
import { keptRefreshTime } from './refresh.ts'
import { type Check, isVerdict, keptCheck } from './verification.ts'

export function formatLogin({ entries, gotAt: _ofThisProcess, ...rest }: Login & Partial<HeldLogin>): string {
  return encodeBase64(JSON.stringify({ auths: Object.fromEntries(entries), ...rest }))
}

/** Undefined for what cannot be read: somebody may have spoiled it, and then nothing is kept. */
export function parseLogin(value: string): Login | undefined {
  try {
    const { auths, issuedAt, expiresAt, refreshAt, handle, source, issuedFor, request, check } = JSON.parse(
      decodeBase64(value) ?? '',
    )
    const entries = parseDockerConfigJson(JSON.stringify({ auths }))
    if (entries.size === 0) return undefined
    return {
      entries,
      issuedAt: time(issuedAt) ?? new Date(0),
      expiresAt: time(expiresAt),
      refreshAt: time(refreshAt),
      handle: isObject<Handle>(handle) ? handle : undefined,
      source: isObject<RegistryCredentialSource>(source) ? source : undefined,
      issuedFor: text(issuedFor) ?? '', // nothing: it is asked for again
      request: text(request),
      check: checkOf(check),
    }
  } catch {
    return undefined
  }
}

/**
 * What was kept, for use in this run.
 * @param interval milliseconds between refreshes; undefined: it comes from a source that is watched
 */
export function hold(kept: Login, interval: number | undefined, now: Moment): HeldLogin {
  const refreshAt = keptRefreshTime(kept, interval, now.wall)
  return { ...kept, refreshAt, check: kept.check && keptCheck(kept.check, now), gotAt: now }
}

function checkOf(value: unknown): Check | undefined {
  const { verdict, reason, message, at, nextAt, image } = (value ?? {}) as Record<string, unknown>
  const texts = isVerdict(verdict) && [reason, message, image].every((each) => typeof each === 'string')
  const times = { at: time(at), nextAt: time(nextAt) }
  if (!texts || !times.at || !times.nextAt) return undefined
  return { ...(value as Check), ...(times as { at: Date; nextAt: Date }) }
}

function isObject<Type extends object>(value: unknown): value is Type {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function time(value: unknown): Date | undefined {
  const date = typeof value === 'string' ? new Date(value) : undefined
  return date && !Number.isNaN(date.getTime()) ? date : undefined
}
