/** Reads what an explanation needs, with the user's rights: what they may not read is left out. */
import { observeCredential, observeNamespace, observeServiceAccount } from '../../controller/observe.ts'
import { secretPath } from '../../controller/secret-writer.ts'
import { serviceAccountPath } from '../../controller/service-account-writer.ts'
import { credentialsPath } from '../../controller/watches.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { nameOf, parseImage } from '../../model/image.ts'
import type { Candidates } from '../completion/candidates.ts'
import type { Connection } from '../connection.ts'
import { isObjectName } from '../object-name.ts'
import { Problem } from '../problem.ts'
import { listAll, type Read, tryRead, whatWasRead } from '../reads.ts'
import { type Facts, pullSecretsOf, type Secret, secretFacts } from './facts.ts'
import { covers } from './keys.ts'
import { type Pod, type Subject, subjectOfPod, subjectOfWorkload, type Workload } from './subject.ts'

const missing = { state: 'missing' } as const

/** Kind, as kubectl takes it in short and long → its name, and where it is. */
const kinds: Readonly<Record<string, readonly [kind: string, group: string, plural: string]>> = Object.fromEntries(
  (
    [
      ['pod', '/api/v1', 'pods', 'po'],
      ['deployment', '/apis/apps/v1', 'deployments', 'deploy'],
      ['replicaset', '/apis/apps/v1', 'replicasets', 'rs'],
      ['statefulset', '/apis/apps/v1', 'statefulsets', 'sts'],
      ['daemonset', '/apis/apps/v1', 'daemonsets', 'ds'],
      ['job', '/apis/batch/v1', 'jobs', 'job'],
      ['cronjob', '/apis/batch/v1', 'cronjobs', 'cj'],
    ] as const
  ).flatMap(([kind, group, plural, short]) => [kind, plural, short].map((name) => [name, [kind, group, plural]])),
)

export const explainableKinds = 'pod, deployment, replicaset, statefulset, daemonset, job or cronjob'

/** What mostly is explained, for shells that complete it. @throws ApiError */
export const subjectNames: Candidates = async ({ client, namespace }) => {
  const kinds = { deployment: 'apis/apps/v1', pod: 'api/v1' }
  const lists = Object.entries(kinds).map(async ([kind, group]) => {
    const objects = await listAll(client, `/${group}/namespaces/${namespace}/${kind}s`, { metadata: true })
    return objects.map(({ metadata }) => `${kind}/${metadata.name}`)
  })
  return ['image', ...(await Promise.all(lists)).flat()]
}

/** @param what `pod/NAME` or the like @throws Problem; ApiError where it cannot be read */
export async function readSubject({ client, namespace }: Connection, what: string): Promise<Subject> {
  const [, kindGiven = '', name = ''] = /^([a-z]+)(?:\.[a-z.]+)?\/([^/]+)$/.exec(what.toLowerCase()) ?? []
  const known = kinds[kindGiven]
  if (known === undefined) {
    throw new Problem(
      `"${what}" is not of the form KIND/NAME with ${explainableKinds}; for an image write: explain image REF`,
    )
  }
  const [kind, group, plural] = known
  const object = await client.get<KubeObject>(`${group}/namespaces/${namespace}/${plural}/${encodeURIComponent(name)}`)
  if (kind === 'pod') return subjectOfPod(object as Pod)
  const pods = await tryRead(listAll<Pod>(client, `/api/v1/namespaces/${namespace}/pods`))
  return subjectOfWorkload(kind, object as Workload, whatWasRead(pods) ?? [])
}

export async function readFacts({ client }: Connection, subject: Subject, now: Date): Promise<Facts> {
  const { namespace, serviceAccount } = subject
  const [account, namespaceObject, credentialObjects] = await Promise.all([
    tryRead(client.get<KubeObject>(serviceAccountPath(namespace, serviceAccount))),
    tryRead(client.get<KubeObject>(`/api/v1/namespaces/${namespace}`)),
    tryRead(listAll(client, credentialsPath)),
  ])
  if (namespaceObject.state === 'missing') throw new Problem(`namespaces "${namespace}" not found`)
  const facts: Facts = {
    subject,
    namespace: namespaceObject.state === 'read' ? observeNamespace(namespaceObject.value) : undefined,
    serviceAccount: observed(account),
    credentials: whatWasRead(credentialObjects)?.map(observeCredential),
    secrets: new Map(),
    now,
  }
  const names = new Set([...(pullSecretsOf(facts) ?? []), ...targetNames(facts)])
  names.delete('') // an entry without a name
  const secrets = [...names].map(async (name) => {
    // Of the names that a pod gives to its pull Secrets, the API server checks nothing, and refuses to look for some.
    const read = isObjectName(name) ? await tryRead(client.get<Secret>(secretPath(namespace, name))) : missing
    return [name, secretFacts(read)] as const
  })
  return { ...facts, secrets: new Map(await Promise.all(secrets)) }
}

function observed(read: Read<KubeObject>): Facts['serviceAccount'] {
  return read.state === 'read' ? { ...read, value: observeServiceAccount(read.value) } : read
}

/** The Secrets in which the logins for its images would be. */
function targetNames({ subject, credentials = [] }: Facts): string[] {
  const images = subject.images.flatMap(({ image }) => parseImage(image) ?? []).map(nameOf)
  const serving = credentials.filter((credential) => images.some((image) => covers(credential, image)))
  return serving.map(({ secretName }) => secretName)
}
