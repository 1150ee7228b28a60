/**
 * The few requests that tell what a login is worth (distribution's `spec/api.md`, `spec/auth/token.md`, `oauth.md`).
 * Manifests are asked for by HEAD alone: Docker Hub counts every GET against the limit of pulls.
 */
import { OutboundError } from '../http/outbound-error.ts'
import { encodeBase64 } from '../model/docker-config.ts'
import type { Image } from '../model/image.ts'
import { parseChallenges } from './challenge.ts'

/** What every request has in common. */
export interface Way {
  fetch: typeof fetch
  signal: AbortSignal
  /** Is told of each request when it has ended. Must not throw. */
  onStep?: (step: Step) => void
}

/** With what a request was made: none, the login itself, or the token that it was exchanged for. */
export type Proof = 'nothing' | 'login' | 'token'

/** One request of a check, fit to be shown: the URL is known before any login is sent, and nothing of a body is in it. */
export interface Step {
  method: string
  /** ASCII, of 512 characters at most. */
  url: string
  proof: Proof
  /** The HTTP status, or why there was no answer. */
  answer: number | string
  /** The schemes by which the answer asks for a login; of other schemes nothing is told. */
  asksFor: ('Basic' | 'Bearer')[]
}

export interface Login {
  username: string
  password: string
}

const maxUrlLength = 512

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/** How a request with TLS ends where there is no TLS; certificates that are not trusted are none of it. */
const noTls = /^(EPROTO|ERR_SSL_\w+)$/
const noAnswer = /^(ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET)$/

/**
 * `GET /v2/` without a login, with TLS; where there is none, without, if the installation lets it.
 * @returns the answer, and the origin at which the registry is
 */
export async function ping(host: string, way: Way): Promise<{ origin: URL; answer: Response }> {
  const [secure, plain] = [new URL(`https://${host}`), new URL(`http://${host}`)]
  try {
    return { origin: secure, answer: await askForApi(secure, undefined, way) }
  } catch (problem) {
    const code = problem instanceof OutboundError ? problem.code : ''
    if (!noTls.test(code) && !noAnswer.test(code)) throw problem
    try {
      return { origin: plain, answer: await askForApi(plain, undefined, way) }
    } catch (plainProblem) {
      // That it may not be spoken to without TLS tells the cure only where it speaks no TLS.
      throw noTls.test(code) ? plainProblem : problem
    }
  }
}

/** `GET /v2/`. @param authorization the header, undefined for none */
export function askForApi(origin: URL, authorization: string | undefined, way: Way): Promise<Response> {
  return ask(new URL('/v2/', origin), { headers: headersWith(authorization) }, proofOf(authorization), way)
}

export function askForManifest(
  origin: URL,
  { repository, reference }: Image,
  authorization: string | undefined,
  way: Way,
): Promise<Response> {
  const headers = { ...headersWith(authorization), accept: manifestTypes }
  const url = new URL(`/v2/${repository}/manifests/${reference}`, origin)
  return ask(url, { method: 'HEAD', headers }, proofOf(authorization), way)
}

/** The one way by which requests of a check are made. @throws OutboundError; the reason of the signal */
export async function ask(
  url: URL,
  init: RequestInit,
  proof: Proof,
  { fetch, signal, onStep }: Way,
): Promise<Response> {
  const step = { method: init.method ?? 'GET', url: url.href.slice(0, maxUrlLength), proof }
  try {
    const answer = await fetch(url, { ...init, signal })
    onStep?.({ ...step, answer: answer.status, asksFor: schemesOf(answer) })
    return answer
  } catch (problem) {
    const why = problem instanceof OutboundError ? problem.message : 'there was no answer'
    onStep?.({ ...step, answer: why, asksFor: [] })
    throw problem
  }
}

function schemesOf(answer: Response): Step['asksFor'] {
  const schemes = parseChallenges(answer.headers.get('www-authenticate') ?? '').map(({ scheme }) => scheme)
  return (['Basic', 'Bearer'] as const).filter((known) => schemes.includes(known.toLowerCase()))
}

function proofOf(authorization: string | undefined): Proof {
  if (authorization === undefined) return 'nothing'
  return authorization.startsWith('Bearer ') ? 'token' : 'login'
}

export function basic({ username, password }: Login): string {
  return `Basic ${encodeBase64(`${username}:${password}`)}`
}

export function headersWith(authorization: string | undefined): Record<string, string> {
  return authorization === undefined ? {} : { authorization }
}
