/**
 * What every source of credentials is to the operator. One file a source; `sources.ts` lists them. A source says what it
 * was given and until when; registries, limits, refreshing, checking and rolling out are not its business.
 */
import type { RegistryCredentialSource } from '../api/registry-credential.ts'
import type { Given } from '../model/given.ts'
import type { Handle } from '../model/login.ts'
import type { SourceSecret } from '../model/source-secret.ts'

export type SourceKind = keyof RegistryCredentialSource
export type SpecOf<Kind extends SourceKind> = NonNullable<RegistryCredentialSource[Kind]>

export interface Source<Kind extends SourceKind> {
  /**
   * Gets what the issuer gives now.
   * @throws SourceProblem when that cannot be used; OutboundError and errors of an SDK become one by `issuer.ts`;
   *   the reason of `signal` when that is aborted
   */
  issue(spec: SpecOf<Kind>, context: SourceContext, signal: AbortSignal): Promise<Issued>
  /**
   * Ends at the issuer all that was ever issued for this credential but what `keep` names. Called when everything is
   * rolled out, and when the credential goes. Absent where an issuer forgets by itself.
   * @param keep the handle of what is in use; undefined: nothing is
   */
  retire?(spec: SpecOf<Kind>, keep: Handle | undefined, context: SourceContext, signal: AbortSignal): Promise<void>
}

export interface Issued {
  given: Given
  /** Since when it is what it is; left out: now. */
  issuedAt?: Date
  /** When it ends, as the issuer says; left out where it does not. */
  expiresAt?: Date
  /** The end is that of an account, which a new login does not put off: it is renewed by `spec.refreshInterval`. */
  endStays?: true
  /** After when to ask again, where that is all that an issuer says of time. */
  refreshAfter?: Date
  /** What `issue` and `retire` have to know of it later. */
  handle?: Handle
}

export interface SourceContext {
  /** For names at the issuer that tell whose they are. */
  readonly credential: { readonly name: string; readonly uid: string }
  /** `spec.registries` as written; what is given is spread over them or chosen by them later. */
  readonly registries: readonly string[] | undefined
  /** Of what was issued last. */
  readonly handle: Handle | undefined
  readonly settings: SourceSettings
  /** A Secret of the operator's own namespace, never of another; undefined when there is none. */
  readSecret(name: string): Promise<(SourceSecret & { changedAt?: Date }) | undefined>
  /** A ServiceAccount of the operator's own namespace with a new token for one audience (TokenRequest). */
  requestToken(serviceAccount: string, audience: string): Promise<IdentityToken>
  /** The one way to an issuer: TLS, limits, the installation's CAs and proxies (http/outbound.ts). */
  readonly fetch: typeof fetch
  /** The same for metadata servers of clouds, in plain HTTP at link-local addresses. */
  readonly metadataFetch: typeof fetch
  /** Must be told every secret value at once, before anything else is done with it: it keeps them out of all output. */
  conceal(...secrets: readonly string[]): void
}

export interface IdentityToken {
  token: string
  /** Annotations of the ServiceAccount. */
  annotations: Readonly<Record<string, string>>
}

/** What of the installation's settings concerns sources. */
export interface SourceSettings {
  /** Folder below which `source.files` may look; undefined: nowhere. */
  readonly filesDir: string | undefined
  /** Folder whose files `source.exec` may run; undefined: none. */
  readonly execPluginDir: string | undefined
  /** Names of the operator's environment variables that plugins get. */
  readonly execPluginEnv: readonly string[]
}
