/**
 * The kubelet's credential provider protocol, v1: one question about one image, one answer, both JSON.
 * Source: kubernetes `pkg/credentialprovider/plugin/plugin.go`, `staging/src/k8s.io/kubelet/pkg/apis/credentialprovider/v1`.
 */
import type { Entries, Entry } from '../model/docker-config.ts'
import { parseGoDuration } from '../model/go-duration.ts'
import { unusable } from './issuer.ts'
import type { IdentityToken } from './source.ts'

const apiVersion = 'credentialprovider.kubelet.k8s.io/v1'

/** For which images an answer is good. */
const cacheKeyTypes = ['Image', 'Registry', 'Global'] as const

export interface PluginAnswer {
  cacheKeyType: (typeof cacheKeyTypes)[number]
  /** Milliseconds before which the plugin need not be asked again; undefined where it does not say, or says 0. */
  cacheDuration: number | undefined
  /** Docker config key as it stands there → login. May be empty. */
  entries: Entries
}

/** What stdin gets. */
export function questionAbout(image: string, identity: IdentityToken | undefined): string {
  return JSON.stringify({
    apiVersion,
    kind: 'CredentialProviderRequest',
    image,
    ...(identity && { serviceAccountToken: identity.token, serviceAccountAnnotations: identity.annotations }),
  })
}

/** What a plugin answered. @param issuer what people call it @throws SourceProblem */
export function readAnswer(body: Record<string, unknown>, issuer: string): PluginAnswer {
  if (body.apiVersion !== apiVersion || body.kind !== 'CredentialProviderResponse') {
    throw unusable(issuer, `is no CredentialProviderResponse of ${apiVersion}; use a version of it that speaks v1`)
  }
  const cacheKeyType = cacheKeyTypes.find((type) => type === body.cacheKeyType)
  if (cacheKeyType === undefined) throw unusable(issuer, `has a cacheKeyType other than ${cacheKeyTypes.join(', ')}`)
  return { cacheKeyType, cacheDuration: readDuration(body.cacheDuration, issuer), entries: readAuth(body.auth, issuer) }
}

/** Whether the kubelet would use the answer about one image for another one, too. */
export function isGoodFor({ cacheKeyType }: PluginAnswer, asked: string, image: string): boolean {
  return cacheKeyType === 'Global' || (cacheKeyType === 'Registry' && registryOf(asked) === registryOf(image))
}

function registryOf(image: string): string | undefined {
  return image.split('/')[0]
}

function readDuration(value: unknown, issuer: string): number | undefined {
  if (value === undefined || value === null) return undefined
  const duration = typeof value === 'string' ? parseGoDuration(value) : undefined
  if (duration === undefined) throw unusable(issuer, 'has a cacheDuration that is no duration such as 6h0m0s')
  return duration > 0 ? duration : undefined
}

function readAuth(auth: unknown, issuer: string): Entries {
  if (auth === undefined || auth === null) return new Map()
  if (!isObject(auth)) throw unusable(issuer, 'has an auth that is no object')
  return new Map(Object.entries(auth).map(([key, login]) => [key, readLogin(login, issuer)]))
}

function readLogin(login: unknown, issuer: string): Entry {
  if (isObject(login)) {
    const { username = '', password = '' } = login
    if (typeof username === 'string' && typeof password === 'string') return { username, password }
  }
  throw unusable(issuer, 'has a login under auth without the texts username and password')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
