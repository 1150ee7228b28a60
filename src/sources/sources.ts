/** All sources, by their member of `spec.source`. Each is loaded when it is first asked, since some bring large SDKs. */
import type { RegistryCredentialSource } from '../api/registry-credential.ts'
import type { Entries } from '../model/docker-config.ts'
import { entriesOf, GivenProblem } from '../model/given.ts'
import type { Handle } from '../model/login.ts'
import { unusable } from './issuer.ts'
import type { Issued, Source, SourceContext, SourceKind, SpecOf } from './source.ts'
import { SourceProblem } from './source-problem.ts'

/** The API server takes no time beyond (RFC 3339), and with it no status at all. */
const lastTime = Date.UTC(9999, 11, 31)

const sources: { [Kind in SourceKind]: () => Promise<Source<Kind>> } = {
  secretRef: async () => (await import('./secret-ref.ts')).secretRef,
  files: async () => (await import('./files.ts')).files,
  ecr: async () => (await import('./ecr.ts')).ecr,
  ecrPublic: async () => (await import('./ecr-public.ts')).ecrPublic,
  gar: async () => (await import('./gar.ts')).gar,
  acr: async () => (await import('./acr.ts')).acr,
  github: async () => (await import('./github.ts')).github,
  gitlab: async () => (await import('./gitlab.ts')).gitlab,
  harbor: async () => (await import('./harbor.ts')).harbor,
  quay: async () => (await import('./quay.ts')).quay,
  vault: async () => (await import('./vault.ts')).vault,
  tokenExchange: async () => (await import('./token-exchange.ts')).tokenExchange,
  exec: async () => (await import('./exec.ts')).exec,
}

/** Milliseconds, over all requests that a source makes for one login, or all that its plugin is asked. */
const deadlineMs = 120_000

/** Entries under canonical keys, and what the source told of them. */
export interface Material extends Omit<Issued, 'given'> {
  entries: Entries
}

/** The one member of a source; undefined for one of a newer version of the API. */
export function kindOf(source: RegistryCredentialSource): SourceKind | undefined {
  return (Object.keys(sources) as SourceKind[]).find((kind) => source[kind] !== undefined)
}

/**
 * Gets the entries of a credential from its source.
 * @throws SourceProblem when what the source gives cannot be used; anything else is taken to pass
 */
export async function issue(
  source: RegistryCredentialSource,
  context: SourceContext,
  signal: AbortSignal,
): Promise<Material> {
  const { implementation, kind, spec } = await chosen(source)
  const deadline = AbortSignal.timeout(deadlineMs)
  try {
    const { given, ...rest } = await implementation.issue(spec, context, AbortSignal.any([signal, deadline]))
    const logins = 'login' in given ? [given.login] : [...given.entries.values()]
    for (const { username, password } of logins) context.conceal(password, `${username}:${password}`)
    if (rest.expiresAt) checkEnd(rest.expiresAt)
    return { entries: entriesOf(given, context.registries), ...rest }
  } catch (problem) {
    signal.throwIfAborted() // an SDK throws an error of its own then
    if (deadline.aborted)
      throw new SourceProblem('IssuerUnavailable', `source.${kind} gave no login within two minutes.`)
    if (!(problem instanceof GivenProblem)) throw problem
    const what = source.secretRef ? `Secret ${source.secretRef.name}` : `What source.${kind} gives`
    throw new SourceProblem(problem.reason, `${what} cannot be used: ${problem.message}.`)
  }
}

/**
 * Ends at the issuer what was issued for a credential, but for what `keep` names.
 * @throws SourceProblem
 */
export async function retire(
  source: RegistryCredentialSource,
  keep: Handle | undefined,
  context: SourceContext,
  signal: AbortSignal,
): Promise<void> {
  const { implementation, spec } = await chosen(source)
  try {
    await implementation.retire?.(spec, keep, context, signal)
  } catch (problem) {
    signal.throwIfAborted()
    throw problem
  }
}

interface Chosen<Kind extends SourceKind> {
  kind: Kind
  implementation: Source<Kind>
  spec: SpecOf<Kind>
}

async function chosen<Kind extends SourceKind>(source: RegistryCredentialSource): Promise<Chosen<Kind>> {
  const kind = kindOf(source) as Kind | undefined
  if (kind === undefined) {
    throw new SourceProblem('SourceInvalid', 'spec.source has no member that this version of the operator knows.')
  }
  return { kind, implementation: await sources[kind](), spec: source[kind] as SpecOf<Kind> }
}

/** Clocks are given no leave here: what ends at once would be had anew, and rolled out, again and again. */
function checkEnd(expiresAt: Date): void {
  if (!(expiresAt.getTime() <= lastTime)) throw unusable('The issuer', 'has an end that is no time')
  if (expiresAt > new Date()) return
  throw new SourceProblem(
    'AlreadyExpired',
    // The day, and no more: what differs each time is news each time.
    `The issuer gave a login that ended on ${expiresAt.toISOString().slice(0, 10)}; its clock, or the one of this machine, is wrong.`,
    60,
  )
}
