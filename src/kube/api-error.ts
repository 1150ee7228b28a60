/**
 * What can go wrong with a request: the API server said no (ApiError), or there was no usable answer (ConnectionError).
 *
 * Both are safe to log: they carry words of the Status object or a code, never headers, bodies, tokens or URLs with
 * user information. client-node's and undici's own errors do carry such things, so they are never kept as `cause`.
 */
import { longestSeconds } from '../http/retry-after.ts'
import type { Status, StatusCause } from './objects.ts'

/** Long Status messages (a schema violation lists every field) are cut, since they end up in logs and conditions. */
const maxMessageLength = 1024

export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status code, or the code of the Status in a watch. */
  readonly code: number
  /** The machine-readable word of the Status ('NotFound', 'AlreadyExists' …); '' when the answer was no Status. */
  readonly reason: string
  /** `details.causes`, without their messages. */
  readonly causes: readonly StatusCause[]
  /** How long the server asks to be left alone, an hour at most; WorkQueue waits that long. */
  readonly retryAfterSeconds: number | undefined

  /** @param retryAfter the Retry-After header, in seconds; other forms (a date) are ignored */
  constructor(code: number, status?: Partial<Status>, retryAfter?: string) {
    super((status?.message ?? `the server answered ${code}`).slice(0, maxMessageLength))
    this.code = code
    this.reason = status?.reason ?? ''
    this.causes = (status?.details?.causes ?? []).map(({ reason = '', field = '' }) => ({ reason, field }))
    const asked = /^\d+$/.test(retryAfter ?? '') ? Number(retryAfter) : status?.details?.retryAfterSeconds
    this.retryAfterSeconds = asked && Math.min(asked, longestSeconds)
  }

  /** Of an answer that is not 2xx. A body that is not a Status (a load balancer's HTML) is not quoted. */
  static ofAnswer(code: number, body: string, retryAfter?: string): ApiError {
    return new ApiError(code, parseStatus(body), retryAfter)
  }
}

/**
 * No answer, or one that cannot be read: refused, reset, timed out, TLS failure, truncated JSON. For a write this means
 * that it may or may not have happened.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** 'ECONNREFUSED', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'CERT_HAS_EXPIRED', 'ERR_INVALID_JSON' … */
  readonly code: string

  /** @param server scheme, host and port only */
  constructor(code: string, server: string) {
    super(`no usable answer from ${server} (${code})`)
    this.code = code
  }
}

/** The code of an answer that was given up because of its size. */
export const tooLarge = 'ERR_TOO_LARGE'

/** Whatever undici, TLS or the resolver threw, reduced to its code. */
export function toConnectionError(error: unknown, server: string): ConnectionError {
  if (error instanceof ConnectionError) return error
  return new ConnectionError(codeOf(error), server)
}

function codeOf(thrown: unknown): string {
  const { name, code, message, errors } = (thrown ?? {}) as Partial<NodeJS.ErrnoException & AggregateError>
  // undici tells a proxy's refusal to tunnel only in words.
  const refused = /^Proxy response \((\d{3})\)/.exec(message ?? '')
  if (refused) return `PROXY_${refused[1]}`
  if (typeof code === 'string') return code
  if (errors !== undefined && errors.length > 0) return codeOf(errors[0])
  return name ?? 'UNKNOWN'
}

/** The TLS handshake failed because of a certificate: CA and client certificate should be read again. */
export function isTlsError(error: unknown): boolean {
  return (
    error instanceof ConnectionError &&
    /CERT|^ERR_(TLS|SSL|OSSL)|SELF_SIGNED|UNABLE_TO_|^EPROTO$|HOSTNAME_MISMATCH|^INVALID_CA/.test(error.code)
  )
}

function parseStatus(body: string): Partial<Status> | undefined {
  try {
    const parsed: Partial<Status> | null = JSON.parse(body)
    return parsed?.kind === 'Status' ? parsed : undefined
  } catch {
    return undefined
  }
}

const hasCode = (error: unknown, code: number) => error instanceof ApiError && error.code === code

/** The answer has more bytes than the caller wants. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === tooLarge
}

/** 409 because the object has another resourceVersion, or a field belongs to another manager. */
export function isConflict(error: unknown): boolean {
  return hasCode(error, 409) && !isAlreadyExists(error)
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'AlreadyExists'
}

export function isNotFound(error: unknown): boolean {
  return hasCode(error, 404)
}

/** 410: the resourceVersion or the continue token is too old. */
export function isGone(error: unknown): boolean {
  return hasCode(error, 410)
}

export function isForbidden(error: unknown): boolean {
  return hasCode(error, 403)
}

/** 422: the object breaks its schema, or an immutable field was changed. */
export function isInvalid(error: unknown): boolean {
  return hasCode(error, 422)
}

/**
 * 422 on an update of a Secret that only another Secret can cure: it is immutable, it is of another type, which cannot be
 * changed (ValidateSecretUpdate), or what others have put into its metadata leaves no room (ValidateAnnotationsSize).
 */
export function isFixed(error: unknown): boolean {
  const fixed = ({ field = '', reason }: StatusCause) =>
    (field === 'data' && reason === 'FieldValueForbidden') ||
    (field === 'type' && reason === 'FieldValueInvalid') ||
    (field.startsWith('metadata.') && reason === 'FieldValueTooLong')
  return isInvalid(error) && (error as ApiError).causes.some(fixed)
}

/** Nothing can be created any more in a namespace that is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof ApiError && error.causes.some(({ reason }) => reason === 'NamespaceTerminating')
}

/** The object, or its namespace, is no longer what it was when it was seen last: the watch brings the news. */
export function isOvertaken(error: unknown): boolean {
  return isConflict(error) || isAlreadyExists(error) || isNotFound(error) || isNamespaceTerminating(error)
}
