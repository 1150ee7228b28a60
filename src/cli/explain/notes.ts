/** What an explanation has to add: what is missing, and what the user may not read. */
import { type Facts, pullSecretsOf } from './facts.ts'

export function notesOf(facts: Facts): string[] {
  const { credentials, namespace, serviceAccount, subject, secrets } = facts
  const list = pullSecretsOf(facts) ?? []
  const missing = list.filter((name) => secrets.get(name)?.state === 'missing')
  const ignored = list.flatMap((name) => {
    const secret = secrets.get(name)
    return secret?.state === 'read' && secret.problem?.kind === 'ignored'
      ? [`Secret ${name}: ${secret.problem.message}.`]
      : []
  })
  const hidden = list.filter((name) => secrets.get(name)?.state === 'hidden')
  return [
    ...missing.map(
      (name) =>
        `Secret ${name}, which is in the list, is not in namespace ${subject.namespace}; the kubelet goes on without it.`,
    ),
    ...ignored,
    ...(hidden.length > 0
      ? [`You may not read Secret ${hidden.join(', ')}: what is in it is told by the status of the credentials.`]
      : []),
    ...(credentials
      ? []
      : [
          'You may not list RegistryCredentials: which of them a login is from, and why one is not here, cannot be told.',
        ]),
    ...(namespace
      ? []
      : [`You may not read namespace ${subject.namespace}: whether credentials select it cannot be told.`]),
    ...(serviceAccount.state === 'forbidden'
      ? [`You may not read ServiceAccount ${subject.serviceAccount}: what it refers to cannot be told.`]
      : []),
  ]
}
