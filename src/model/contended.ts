/** What people are told of an object that somebody else keeps changing back: the same words as long as it lasts. */
import type { Finding } from './conditions.ts'
import type { Problem } from './outcome.ts'

export interface Contended {
  kind: 'ServiceAccount' | 'Secret'
  name: string
  /** The other field manager, where managedFields show one. */
  manager: string | undefined
}

export type ContendedIn = Contended & { namespace: string }

/** Objects that the condition names. */
const maxNamed = 3

const cures = {
  ServiceAccount:
    'leave imagePullSecrets out of the manifest of the ServiceAccount, or have the field ignored (Argo CD: ignoreDifferences on /imagePullSecrets with RespectIgnoreDifferences=true; Flux: kustomize.toolkit.fluxcd.io/ssa: IfNotPresent), or install the admission policy (config/admission), or leave the ServiceAccount to others by its annotation regcred.dev/opt-out=true',
  Secret:
    'have whoever writes or deletes the Secret leave it alone, such as another installation of this operator or a tool that copies Secrets',
}

export function contendedProblem({ kind, name, manager }: Contended): Problem {
  const message = `${kind} ${name}: what the operator writes is undone again and again (${by(manager)}), so it is repaired ever more rarely, at least every 5 minutes; ${cures[kind]}.`
  return { reason: 'Contended', message }
}

/** @param contended sorted by namespace */
export function contendedCondition(contended: readonly ContendedIn[]): Finding[] {
  if (contended.length === 0) return []
  const named = contended
    .slice(0, maxNamed)
    .map(({ namespace, kind, name, manager }) => `${kind} ${namespace}/${name} (${by(manager)})`)
  const others = contended.length - named.length
  const where = `${named.join(', ')}${others > 0 ? ` and in ${others} more namespaces` : ''}`
  const cure = [...new Set(contended.map(({ kind }) => cures[kind]))].join('; ')
  const message = `What the operator writes is undone again and again: ${where}. To end it, ${cure}.`
  return [{ type: 'Contended', status: 'True', reason: 'KeepsBeingUndone', message }]
}

function by(manager: string | undefined): string {
  return `managedFields name ${manager ?? 'nobody'}`
}
