/** What people and programs do to copies and references, and the one write, if any, that is to mend it. */
import type { OwnerReference } from '../../src/api/object-meta.ts'
import { openApi } from '../support/api.ts'
import { type Lab, type Secret, secretPath, serviceAccountPath } from './lab.ts'

export interface Drift {
  /** Ends the sentence "… is mended" or "… is left as it is". */
  what: string
  change: (lab: Lab, namespace: string) => Promise<void>
  /** What the operator has to write; undefined when there is nothing to mend. */
  mends: 'secrets' | 'serviceaccounts' | undefined
  /** The requests for it; default one patch. */
  writes?: string[]
  /** When it happens while the operator is down, nothing proves any more that the Secret is ours: it is left alone. */
  unprovable?: boolean
  /** The references afterwards; before they were `own`, `regcred`, `another`. */
  references?: string[]
  /** A copy that was deleted can only be another object. */
  uidChanges?: boolean
  /** Holds when somebody else's marks on the Secret are still there. */
  keeps?: (secret: Secret) => boolean
}

export const managedByLabel = 'app.kubernetes.io/managed-by'
export const markAnnotation = 'regcred.dev/mark'
export const managedAnnotation = 'regcred.dev/managed'

const tampered = {
  '.dockerconfigjson': Buffer.from('{"auths":{"ghcr.io":{"username":"evil","password":"evil"}}}').toString('base64'),
}

function onSecret(patch: object): Drift['change'] {
  return (lab, namespace) => lab.patch(secretPath(namespace), patch)
}

function onServiceAccount(metadata: object, ...references: string[]): Drift['change'] {
  const patch = { metadata, ...(references.length > 0 && { imagePullSecrets: references.map((name) => ({ name })) }) }
  return (lab, namespace) => lab.patch(serviceAccountPath(namespace), patch)
}

/** As `kubectl replace` with a file that has kept nothing but our label. */
async function replaceAll(lab: Lab, namespace: string): Promise<void> {
  const metadata = { name: 'regcred', labels: { [managedByLabel]: 'regcred-operator' } }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/dockerconfigjson', data: tampered }
  const { status } = await openApi(lab.cluster.adminKubeconfig)('PUT', secretPath(namespace), secret)
  if (status !== 200) throw new Error(`PUT answered ${status}`)
}

/** The data stay what they are, but managedFields no longer tell who wrote them. */
const forgetManagers = onSecret({ metadata: { managedFields: [{}] } })

async function ownersOf(lab: Lab, namespace: string): Promise<OwnerReference[]> {
  return (await lab.client.get<Secret>(secretPath(namespace))).metadata.ownerReferences ?? []
}

/** Adds the ownerReference of a credential that is there but does not feed the copy. */
function bystander(spoiled: object): Drift['change'] {
  return async (lab, namespace) => {
    const name = await lab.credential(`by-${namespace}`, { source: { secretRef: { name: 'none' } } })
    const owners = await ownersOf(lab, namespace)
    const { uid } = (await lab.readCredential(name)).metadata
    const ownerReferences = [...owners, ...owners.map((owner) => ({ ...owner, name, uid }))]
    await lab.patch(secretPath(namespace), { metadata: { ownerReferences }, ...spoiled })
  }
}

/** Marks of somebody else, and further metadata of ours spoiled on the way. */
function foreignMarks(spoiled: { labels?: object; annotations?: object }): Drift['change'] {
  return async (lab, namespace) => {
    const { metadata } = await lab.create(`/api/v1/namespaces/${namespace}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'owner' },
    })
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: metadata.uid }
    await lab.patch(secretPath(namespace), {
      metadata: {
        labels: { team: 'a', ...spoiled.labels },
        annotations: { note: 'theirs', ...spoiled.annotations },
        ownerReferences: [
          { ...owner, controller: true, blockOwnerDeletion: true },
          ...(await ownersOf(lab, namespace)),
        ],
      },
    })
  }
}

function hasForeignMarks({ metadata }: Secret): boolean {
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'ConfigMap')
  const marked = metadata.labels?.team === 'a' && metadata.annotations?.note === 'theirs'
  return marked && owner?.controller === true && owner.blockOwnerDeletion === true
}

const secrets = 'secrets'
const serviceAccounts = 'serviceaccounts'
const noMark = { annotations: { [markAnnotation]: null } }
const noLabel = { labels: { [managedByLabel]: null } }

export const drifts: Drift[] = [
  {
    what: 'a deleted copy',
    change: async (lab, namespace) => void (await lab.client.delete(secretPath(namespace))),
    mends: secrets,
    uidChanges: true,
  },
  { what: 'changed data under an unchanged mark', change: onSecret({ data: tampered }), mends: secrets },
  {
    what: 'changed data without a mark',
    change: onSecret({ metadata: noMark, data: tampered }),
    mends: secrets,
    unprovable: true,
  },
  { what: 'a copy replaced by a file', change: replaceAll, mends: secrets, unprovable: true },
  { what: 'a copy without managedFields', change: forgetManagers, mends: secrets },
  { what: 'a removed mark', change: onSecret({ metadata: noMark }), mends: secrets },
  {
    what: 'an altered mark',
    change: onSecret({ metadata: { annotations: { [markAnnotation]: 'f'.repeat(32) } } }),
    mends: secrets,
  },
  { what: 'a stripped label', change: onSecret({ metadata: noLabel }), mends: secrets },
  {
    what: 'an altered label',
    change: onSecret({ metadata: { labels: { [managedByLabel]: 'Helm' } } }),
    mends: secrets,
  },
  { what: 'a stripped label and mark', change: onSecret({ metadata: { ...noLabel, ...noMark } }), mends: secrets },
  {
    what: 'a copy that was made immutable',
    change: onSecret({ immutable: true }),
    mends: undefined,
  },
  {
    what: 'a copy with other data that was made immutable',
    change: onSecret({ data: tampered, immutable: true }),
    mends: secrets,
    uidChanges: true,
    writes: ['patch secrets 422', 'delete secrets done', 'patch secrets done'],
  },
  {
    what: 'a removed ownerReference',
    change: async (lab, namespace) => await lab.patch(secretPath(namespace), { metadata: { ownerReferences: null } }),
    mends: secrets,
  },
  { what: 'an ownerReference too many', change: bystander({}), mends: secrets },
  {
    what: 'an ownerReference too many and changed data',
    change: bystander({ data: tampered }),
    mends: secrets,
    // An apply makes the data ours and leaves the ownerReference, a patch takes that off.
    writes: ['patch secrets done', 'patch secrets done'],
  },
  { what: 'a Secret with marks of others', change: foreignMarks({}), mends: undefined, keeps: hasForeignMarks },
  {
    what: 'a stripped label among marks of others',
    change: foreignMarks(noLabel),
    mends: secrets,
    keeps: hasForeignMarks,
  },
  {
    what: 'a removed reference',
    change: onServiceAccount({}, 'own'),
    mends: serviceAccounts,
    references: ['own', 'regcred'],
  },
  {
    what: 'a list emptied',
    change: (lab, namespace) => lab.patch(serviceAccountPath(namespace), { imagePullSecrets: null }),
    mends: serviceAccounts,
    references: ['regcred'],
  },
  {
    what: 'a list replaced by others',
    change: onServiceAccount({}, 'z', 'own', 'a'),
    mends: serviceAccounts,
    references: ['z', 'own', 'a', 'regcred'],
  },
  {
    what: 'a list replaced by others that brought their own annotations',
    change: onServiceAccount({ annotations: { [managedAnnotation]: null, note: 'theirs' } }, 'z', 'a'),
    mends: serviceAccounts,
    references: ['z', 'a', 'regcred'],
  },
  {
    what: 'a list in another order',
    change: onServiceAccount({}, 'regcred', 'another', 'own'),
    mends: undefined,
    references: ['regcred', 'another', 'own'],
  },
  {
    what: 'a garbled annotation that still names the Secret',
    change: onServiceAccount({ annotations: { [managedAnnotation]: ' regcred,,gone , regcred' } }),
    mends: serviceAccounts,
  },
]
