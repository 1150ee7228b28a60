/** What every source of credentials is to the credential loop. */
import type { Credential } from '../model/credential.ts'
import type { Entries } from '../model/docker-config.ts'
import { SourceProblem, type SourceSecret } from '../model/source-secret.ts'
import { secretRef } from './secret-ref.ts'

export interface Issued {
  entries: Entries
  /** RFC 3339: since when they are what they are. */
  issuedAt?: string
}

export interface SourceContext {
  /** A Secret of the operator's own namespace, never of another; undefined when there is none. */
  readSecret(name: string): Promise<(SourceSecret & { changedAt?: string }) | undefined>
}

/**
 * Gets the entries of a credential from its source.
 * @throws SourceProblem when what the source gives cannot be used; anything else is taken to pass
 */
export async function issue({ source, registries }: Credential, context: SourceContext): Promise<Issued> {
  if (source.secretRef) return await secretRef(source.secretRef, registries, context)
  throw new SourceProblem('SourceInvalid', 'spec.source has no member that this version of the operator knows.')
}
