/** How sources speak to issuers: one request, its answer, and whatever goes wrong as a problem that is safe to show. */
import { OutboundError } from '../http/outbound-error.ts'
import { retryAfterSeconds } from '../http/retry-after.ts'
import { GivenProblem } from '../model/given.ts'
import { SourceProblem } from './source-problem.ts'

/** Seconds: to ask an issuer again who has refused is of use only after somebody has changed something there. */
const refusedRetrySeconds = 60

/** A code that an issuer gives for people to search for; whatever does not look like one may be a secret. */
const isCode = /^[A-Za-z][\w.-]{0,63}$/

export interface Refusal {
  /** Host, or what people call the issuer. */
  issuer: string
  status: number
  code?: unknown
  retryAfterSeconds?: number | undefined
}

/**
 * Sends one request and reads the JSON object that an issuer answers with.
 * @throws SourceProblem; the reason of the signal in `init` when that is aborted
 */
export async function askIssuer(send: typeof fetch, url: URL, init: RequestInit): Promise<Record<string, unknown>> {
  let response: Response
  let text: string
  try {
    response = await send(url, init)
    text = await response.text()
  } catch (error) {
    throw toSourceProblem(error, url.host)
  }
  const body = parse(text)
  if (!response.ok) throw problemOf(url.host, response, body)
  if (body === undefined) throw unusable(url.host, 'is no JSON object')
  return body
}

/** A text that an answer must have. @param name of the field, for people */
export function textOf(body: Record<string, unknown>, name: string, issuer: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value === '') throw unusable(issuer, `has no ${name}`)
  return value
}

/** @param what ends the sentence “its answer …” */
export function unusable(issuer: string, what: string): SourceProblem {
  return new SourceProblem('IssuerInvalid', `${issuer} answered, but its answer ${what}.`)
}

/** What an HTTP status that is not one of success means. */
export function refusal({ issuer, status, code, retryAfterSeconds: asked }: Refusal): SourceProblem {
  const told = typeof code === 'string' && isCode.test(code) ? `${status} ${code}` : String(status)
  if (status === 429) return new SourceProblem('RateLimited', `${issuer} asks for fewer requests (${told}).`, asked)
  if (status >= 500 || status === 408) {
    return new SourceProblem('IssuerUnavailable', `${issuer} cannot answer now (${told}).`, asked)
  }
  return new SourceProblem('IssuerRefused', `${issuer} refuses (${told}).`, Math.max(asked ?? 0, refusedRetrySeconds))
}

/**
 * Any error met on the way to an issuer. What an SDK says is not passed on, since it may quote the answer.
 * @param issuer host, or what people call it
 * @param refused where the SDK tells an HTTP status
 */
export function toSourceProblem(error: unknown, issuer: string, refused?: Omit<Refusal, 'issuer'>): unknown {
  if (error instanceof SourceProblem || error instanceof GivenProblem || isAbort(error)) return error
  const outbound = find(error, (each) => each instanceof OutboundError)
  if (outbound instanceof OutboundError) return ofOutbound(outbound)
  if (refused !== undefined) return refusal({ issuer, ...refused })
  return new SourceProblem('IssuerInvalid', `${issuer} gave an answer that is not understood.`)
}

/** The error itself, or one that it was made of. */
export function find(error: unknown, is: (error: unknown) => boolean, depth = 0): unknown {
  if (is(error)) return error
  if (typeof error !== 'object' || error === null || depth > 8) return undefined
  const { cause, error: inner, errors } = error as { cause?: unknown; error?: unknown; errors?: unknown }
  for (const each of [cause, inner, ...(Array.isArray(errors) ? errors : [])]) {
    const found = each === undefined ? undefined : find(each, is, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function ofOutbound({ code, message }: OutboundError): SourceProblem {
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
  if (['ERR_INSECURE', 'ERR_ADDRESS', 'ERR_INVALID_REQUEST'].includes(code)) {
    return new SourceProblem('SourceInvalid', sentence)
  }
  const answered = code === 'ERR_TOO_LARGE' || code === 'ERR_REDIRECT'
  return new SourceProblem(answered ? 'IssuerInvalid' : 'IssuerUnavailable', sentence)
}

function problemOf(issuer: string, { status, headers }: Response, body: Record<string, unknown> | undefined) {
  return refusal({ issuer, status, code: body?.error, retryAfterSeconds: retryAfterSeconds(headers, Date.now()) })
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
