/**
 * What a namespace should hold: for every target Secret name whether it should be there, and from which credentials.
 *
 * A Secret is rewritten only when the entries of everyone who feeds it are known. One whose source cannot be read (yet)
 * or who is suspended never costs a neighbour its entries, nor loses its own, nor keeps those of one who has to go. What is
 * written holds entries of credentials that select the namespace and of no others, whatever the marks on a Secret say: an
 * old mark that was put back is a true one.
 */
import type { Credential } from './credential.ts'
import type { Entries } from './docker-config.ts'
import type { RecognizedSecret } from './observed.ts'
import { type Namespace, selectsNamespace } from './selection.ts'

/** A credential with what is known of it now. */
export interface CredentialState {
  credential: Credential
  /** Its docker config entries; undefined while none have ever been read. */
  entries: Entries | undefined
  /** What it has brought about stays as it is: it is suspended, or asks for a Secret name that is not allowed. */
  frozen: boolean
  /** Grows with every change of the credential or its entries. */
  version: number
}

export type DesiredSecret = { name: string; selectedBy: ReadonlySet<CredentialState> } & (
  | { state: 'present'; contributors: readonly CredentialState[] }
  /** Nothing is written or removed, since the entries of some contributors are not known. */
  | { state: 'held'; waitsFor: readonly string[] }
  | { state: 'absent' }
  /** Stays, but without our marks: its credential is being deleted with `deletionPolicy: Orphan`. */
  | { state: 'released' }
)

export function desiredSecret(
  name: string,
  namespace: Namespace,
  credentials: readonly CredentialState[],
  observed: RecognizedSecret | undefined,
): DesiredSecret {
  const contributes = ({ credential }: CredentialState) => feeds(credential, namespace, observed)
  const selects = ({ credential }: CredentialState) =>
    credential.secretName === name && selectsNamespace(credential, namespace)

  const living = credentials.filter(({ credential }) => !credential.deleting)
  const selectedBy = new Set(living.filter((state) => !state.frozen && selects(state)))
  const frozen = living.filter((state) => state.frozen && (contributes(state) || selects(state)))
  const kept = frozen.filter((state) => contributes(state) && selectsNamespace(state.credential, namespace))
  const known = [...selectedBy].filter(({ entries }) => entries !== undefined)
  const unknown = [...selectedBy, ...kept].filter(({ entries }) => entries === undefined)
  const staying = new Set([...selectedBy, ...frozen])
  const leaving = credentials.some((state) => !staying.has(state) && contributes(state))
  // Whose entries are to come or to go is reason enough; one of whom nothing is known or wanted yet is none.
  const changes = known.length > 0 || leaving
  // To wait for one whom only a claim names must not keep anybody in who has to go.
  const counts = observed?.proven || !leaving
  const waitsFor = unknown
    .filter((state) => (contributes(state) && counts) || !changes)
    .map(nameOf)
    .sort()

  if (waitsFor.length > 0 || (frozen.length > 0 && !changes)) return { name, selectedBy, state: 'held', waitsFor }
  const contributors = [...known, ...kept].sort(byName)
  if (contributors.length > 0) return { name, selectedBy, state: 'present', contributors }
  const orphaned = credentials.some(
    (state) => state.credential.deleting && state.credential.deletionPolicy === 'Orphan' && contributes(state),
  )
  return { name, selectedBy, state: orphaned ? 'released' : 'absent' }
}

/**
 * Whether the Secret holds entries of the credential. Whoever may write Secrets in a namespace can write what they like on
 * theirs, and must not get the entries of a credential that is not for them by it: what is not proven counts only for a
 * credential that selects the namespace.
 */
export function feeds(credential: Credential, namespace: Namespace, secret: RecognizedSecret | undefined): boolean {
  if (!secret?.ours || !secret.madeOf.has(credential.uid)) return false
  return secret.proven || selectsNamespace(credential, namespace)
}

function nameOf({ credential }: CredentialState): string {
  return credential.name
}

function byName(a: CredentialState, b: CredentialState): number {
  return nameOf(a) < nameOf(b) ? -1 : 1
}
