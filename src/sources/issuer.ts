/** How sources speak to issuers: one request, its answer, and whatever goes wrong as a problem that is safe to show. */
import { OutboundError } from '../http/outbound-error.ts'
import { retryAfterSeconds } from '../http/retry-after.ts'
import { GivenProblem } from '../model/given.ts'
import { asObject } from './json-object.ts'
import { SourceProblem } from './source-problem.ts'

/** Seconds: to ask an issuer again who has refused is of use only after somebody has changed something there. */
const refusedRetrySeconds = 60

/** A code that an issuer gives for people to search for. What has digits, but for Entra's, may be a secret or an id. */
const isCode = /^(?:AADSTS\d{1,9}|[A-Za-z][A-Za-z_.-]{0,63})$/

export interface Refusal {
  /** Host, or what people call the issuer. */
  issuer: string
  status: number
  code?: unknown
  retryAfterSeconds?: number | undefined
  /** What to look at, for people. */
  check?: string | undefined
}

interface Answer {
  headers: Headers
  /** Undefined where it is no JSON. */
  body: unknown
}

/**
 * Sends one request and reads the JSON object that an issuer answers with.
 * @param check what to look at when it refuses, for people
 * @throws SourceProblem; the reason of the signal in `init` when that is aborted
 */
export async function askIssuer(
  send: typeof fetch,
  url: URL,
  init: RequestInit,
  check?: string,
): Promise<Record<string, unknown>> {
  const body = asObject((await answerTo(send, url, init, check)).body)
  if (body === undefined) throw unusable(url.host, 'is no JSON object')
  return body
}

/**
 * The same for a JSON list of objects, with the headers that tell where it goes on.
 * @throws as `askIssuer`
 */
export async function askIssuerForList(
  send: typeof fetch,
  url: URL,
  init: RequestInit,
  check?: string,
): Promise<{ items: Record<string, unknown>[]; headers: Headers }> {
  const { headers, body } = await answerTo(send, url, init, check)
  const items = Array.isArray(body) ? body.map(asObject) : [undefined]
  if (!items.every((item) => item !== undefined)) throw unusable(url.host, 'is no JSON list of objects')
  return { items, headers }
}

/**
 * Sends one request whose answer says no more than that it was done. What is not there (404) counts as deleted.
 * @throws as `askIssuer`
 */
export async function deleteAtIssuer(send: typeof fetch, url: URL, init: RequestInit, check?: string): Promise<void> {
  await answerTo(send, url, { ...init, method: 'DELETE' }, check, [404])
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
export function refusal({ issuer, status, code, retryAfterSeconds: asked, check }: Refusal): SourceProblem {
  const told = typeof code === 'string' && isCode.test(code) ? `${status} ${code}` : String(status)
  if (status === 429) return new SourceProblem('RateLimited', `${issuer} asks for fewer requests (${told}).`, asked)
  if (status >= 500 || status === 408) {
    return new SourceProblem('IssuerUnavailable', `${issuer} cannot answer now (${told}).`, asked)
  }
  const cure = check === undefined ? '' : `; check ${check}`
  const message = `${issuer} refuses (${told})${cure}.`
  return new SourceProblem('IssuerRefused', message, Math.max(asked ?? 0, refusedRetrySeconds))
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

async function answerTo(
  send: typeof fetch,
  url: URL,
  init: RequestInit,
  check?: string,
  fine: readonly number[] = [],
): Promise<Answer> {
  let response: Response
  let text: string
  try {
    response = await send(url, init)
    text = await response.text()
  } catch (error) {
    init.signal?.throwIfAborted()
    throw toSourceProblem(error, url.host)
  }
  const { ok, status, headers } = response
  const body = parse(text)
  if (ok || fine.includes(status)) return { headers, body }
  const code = codeOf(asObject(body) ?? {})
  throw refusal({ issuer: url.host, status, code, check, retryAfterSeconds: retryAfterSeconds(headers, Date.now()) })
}

/** As OAuth, Google's APIs and registries give it. */
function codeOf({ error, errors }: Record<string, unknown>): unknown {
  return asObject(error)?.status ?? error ?? (Array.isArray(errors) ? asObject(errors[0])?.code : undefined)
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
