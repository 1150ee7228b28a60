/** What kubectl applies, replaces, compares and prunes beside the operator, as a pipeline runs it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { LifeCycleLab } from '../controller/life-cycle-lab.ts'
import { commit, logins, type Manifest, web } from './git.ts'

let lab: LifeCycleLab
let operator: RunningOperator
const folder = temporaryFolders()

beforeAll(async () => {
  lab = new LifeCycleLab()
  operator = await startOperator()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

const kubectl = (...args: string[]) => lab.cluster.kubectl(...args)

const serverSide = ['apply', '--server-side', '--force-conflicts']

/** Waits until the namespace has the login, and its ServiceAccount these entries. */
async function served(namespace: string, references: readonly string[]): Promise<void> {
  await lab.served(namespace, { logins, references: [...references] })
}

async function end(...manifests: Manifest[]): Promise<void> {
  for (const { kind, metadata } of manifests) {
    const within = metadata.namespace ? ['-n', metadata.namespace] : []
    await kubectl('delete', kind, metadata.name, ...within, '--ignore-not-found', '--wait=false')
  }
}

test('ServiceAccounts that are silent about the list keep our entry, and kubectl diff is empty', async () => {
  const { namespace, source, credential, serviceAccount } = web(lab, 'silent')
  const name = namespace.metadata.name
  const git = folder()
  const all = commit(git, 'all', [namespace, source, credential, serviceAccount])
  const file = `${all}/3-ServiceAccount.json`
  const keep = async (...apply: string[]) => {
    await kubectl(...apply, '-f', all)
    expect(await lab.references(name)).toEqual(['regcred'])
  }
  try {
    await kubectl('apply', '-f', commit(git, 'first', [namespace, source, credential]))
    await lab.ready(credential.metadata.name)
    await served(name, ['regcred'])
    await keep('apply')
    // On changing from one way of applying to the other kubectl claims, once, what has no owner in managedFields.
    await kubectl(...serverSide, '-f', all)
    await served(name, ['regcred'])
    await keep(...serverSide)
    await keep('apply')
    await keep(...serverSide)
    expect(await kubectl('diff', '-f', all)).toBe('')
    expect(await kubectl('diff', '--server-side', '--force-conflicts', '-f', all)).toBe('')
    await kubectl('replace', '-f', file)
    await served(name, ['regcred'])
  } finally {
    await end(credential, source, namespace)
  }
})

test('ServiceAccounts with a list get it as it is in Git, and our entry behind it', async () => {
  const { namespace, source, credential, serviceAccount } = web(lab, 'listing')
  const name = namespace.metadata.name
  const git = folder()
  const listing = (list: string[]) => ({ ...serviceAccount, imagePullSecrets: list.map((name) => ({ name })) })
  const first = commit(git, '1', [listing(['git-1'])])
  const second = commit(git, '2', [listing(['git-2', 'git-1'])])
  const none = commit(git, '3', [serviceAccount])
  try {
    await kubectl('apply', '-f', commit(git, '0', [namespace, source, credential]))
    await served(name, ['regcred'])
    await kubectl('apply', '-f', first)
    await served(name, ['git-1', 'regcred'])
    await kubectl('apply', '-f', second)
    await served(name, ['git-2', 'git-1', 'regcred'])
    await kubectl('replace', '-f', first)
    await served(name, ['git-1', 'regcred'])
    await kubectl(...serverSide, '-f', second)
    await served(name, ['git-2', 'git-1', 'regcred'])
    // A list that is out of Git stays as long as somebody else owns the field, as the operator does that wrote it last.
    await kubectl(...serverSide, '-f', none)
    await eventually(async () => expect(await lab.references(name)).toContain('regcred'))
    const others = (await lab.references(name)).filter((each) => each !== 'regcred')
    await kubectl('delete', 'rcred', credential.metadata.name, '--timeout=60s')
    await lab.clean(name, { references: others })
  } finally {
    await end(credential, source, namespace)
  }
})

test('what is made for a namespace carries no mark of a GitOps tool, and is neither adopted nor pruned', async () => {
  const { namespace, source, credential, serviceAccount } = web(lab, 'pruned')
  const name = namespace.metadata.name
  const another = (kind: string, name: string) => {
    return { apiVersion: 'v1', kind, metadata: { ...serviceAccount.metadata, name } }
  }
  const dropped = [another('ConfigMap', 'dropped'), another('Secret', 'dropped')]
  const git = folder()
  // kubectl prunes only in namespaces that it applies something in.
  const stays = [namespace, another('ConfigMap', 'stays'), source]
  const prune = (folder: string, ...kinds: string[]) =>
    kubectl(
      ...['apply', '-f', folder, '--prune', '-l', 'app.kubernetes.io/instance=web'],
      ...kinds.map((kind) => `--prune-allowlist=${kind}`),
    )
  try {
    await kubectl('apply', '-f', commit(git, 'before', [...stays, credential, serviceAccount, ...dropped]))
    await lab.ready(credential.metadata.name)
    await served(name, ['regcred'])
    const secret = await lab.secret(name)
    expect(secret?.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'regcred-operator' })
    expect(Object.keys(secret?.metadata.annotations ?? {})).toEqual(['regcred.dev/mark'])
    expect(Object.keys((await lab.serviceAccount(name))?.metadata.labels ?? {})).toEqual(
      Object.keys(serviceAccount.metadata.labels ?? {}),
    )

    // By what was applied (kubectl, Argo CD), by label alone (Argo CD in label mode), by inventory (Flux).
    const after = commit(git, 'after', [...stays, credential, serviceAccount])
    const pruned = await prune(after, 'core/v1/ConfigMap', 'core/v1/Secret')
    expect(
      pruned
        .split('\n')
        .filter((line) => line.endsWith(' pruned'))
        .sort(),
    ).toEqual(['configmap/dropped pruned', 'secret/dropped pruned'])
    await kubectl('delete', 'secrets', '-n', name, '-l', 'app.kubernetes.io/instance=web')
    await kubectl('delete', 'secrets', '-n', name, '-l', 'kustomize.toolkit.fluxcd.io/name=web')
    expect(await lab.secret(name)).toEqual(secret)
    expect(await lab.references(name)).toEqual(['regcred'])

    // The ServiceAccount `default` out of Git: Kubernetes makes another one, and that is served.
    await prune(commit(git, 'without', [...stays, credential]), 'core/v1/ServiceAccount')
    await eventually(async () => {
      expect((await lab.serviceAccount(name))?.metadata.labels).toBeUndefined()
    })
    await served(name, ['regcred'])
    expect((await lab.secret(name))?.metadata.uid).toBe(secret?.metadata.uid)

    // The credential out of Git: what it has brought goes with it.
    await prune(commit(git, 'end', stays), 'regcred.dev/v1/RegistryCredential')
    await lab.gone(credential.metadata.name)
    await lab.clean(name)
  } finally {
    await end(credential, source, namespace)
  }
})
