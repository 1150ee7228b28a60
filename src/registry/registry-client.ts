/**
 * The few requests that tell what a login is worth (distribution's `spec/api.md`, `spec/auth/token.md`, `oauth.md`).
 * Manifests are asked for by HEAD alone: Docker Hub counts every GET against the limit of pulls.
 */
import { OutboundError } from '../http/outbound-error.ts'
import { encodeBase64 } from '../model/docker-config.ts'
import type { Image } from '../model/image.ts'

/** What every request has in common. */
export interface Way {
  fetch: typeof fetch
  signal: AbortSignal
}

export interface Login {
  username: string
  password: string
}

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
export function askForApi(origin: URL, authorization: string | undefined, { fetch, signal }: Way): Promise<Response> {
  return fetch(new URL('/v2/', origin), { headers: headersWith(authorization), signal })
}

export function askForManifest(
  origin: URL,
  { repository, reference }: Image,
  authorization: string | undefined,
  { fetch, signal }: Way,
): Promise<Response> {
  const headers = { ...headersWith(authorization), accept: manifestTypes }
  return fetch(new URL(`/v2/${repository}/manifests/${reference}`, origin), { method: 'HEAD', headers, signal })
}

export function basic({ username, password }: Login): string {
  return `Basic ${encodeBase64(`${username}:${password}`)}`
}

export function headersWith(authorization: string | undefined): Record<string, string> {
  return authorization === undefined ? {} : { authorization }
}
