/**
 * Credential, source and namespaces come and go in whatever order a sync takes them, and nothing hangs; and the way out of
 * a deletion that waits for an operator that is not there (docs/how-to/gitops.md).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS } from '../cluster/operator.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { LifeCycleLab } from '../controller/life-cycle-lab.ts'
import { RESTART_TIMEOUT_MS, Restarts } from '../controller/restarts.ts'
import { commit, logins, type Manifest, type Web, web } from './git.ts'

let lab: LifeCycleLab
const operator = new Restarts()
const folder = temporaryFolders()
const page = readFileSync(join('docs', 'how-to', 'gitops.md'), 'utf8')

beforeAll(async () => {
  lab = new LifeCycleLab()
  await operator.start()
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await operator.stop()
})

const kubectl = (...args: string[]) => lab.cluster.kubectl(...args)

/** Fails where it hangs; kubectl waits until all is gone. */
const remove = (...args: string[]) => kubectl('delete', '--timeout=90s', ...args)

async function wait(credential: Manifest): Promise<void> {
  await kubectl('wait', '--for=condition=Ready', `rcred/${credential.metadata.name}`, '--timeout=60s')
}

async function expectGone({ namespace, source, credential }: Web): Promise<void> {
  const objects = [namespace, source, credential].map(({ kind, metadata }) => [kind, metadata] as const)
  for (const [kind, { name, namespace: within }] of objects) {
    const scope = within ? ['-n', within] : []
    expect(await kubectl('get', kind, name, ...scope, '--ignore-not-found', '-o', 'name')).toBe('')
  }
}

type Order = [how: string, order: (manifests: Web) => Manifest[]]

const orders: Order[] = [
  ['the source first', ({ source, credential, namespace }) => [source, credential, namespace]],
  ['the credential first', ({ source, credential, namespace }) => [credential, namespace, source]],
  ['the namespace first', ({ source, credential, namespace }) => [namespace, credential, source]],
]

test.each(orders)('one kubectl apply and one kubectl delete of a folder, %s', async (how, order) => {
  const manifests = web(lab, how.replaceAll(' ', '-'))
  const git = commit(folder(), 'git', order(manifests))
  await kubectl('apply', '-f', git)
  await wait(manifests.credential)
  await lab.served(manifests.namespace.metadata.name, { logins })
  await remove('-f', git)
  await expectGone(manifests)
})

test.each(orders)('everything at once with --cascade=foreground, %s', async (how, order) => {
  const manifests = web(lab, `${how.replaceAll(' ', '-')}-foreground`)
  const git = commit(folder(), 'git', order(manifests))
  await kubectl('apply', '-f', git)
  await wait(manifests.credential)
  await remove('--cascade=foreground', '-f', git)
  await expectGone(manifests)
})

test('a kustomization is applied before its source is there, and deleted after it', async () => {
  const manifests = web(lab, 'kustomized')
  const { namespace, source, credential } = manifests
  const git = folder()
  const late = commit(git, 'late', [source])
  const sync = commit(git, 'sync', [namespace, credential])
  const resources = ['0-Namespace.json', '1-RegistryCredential.json']
  const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources }
  writeFileSync(join(sync, 'kustomization.yaml'), JSON.stringify(kustomization))
  await kubectl('apply', '-k', sync)
  await lab.condition(credential.metadata.name, 'Ready', 'False')
  await kubectl('apply', '-f', late)
  await wait(credential)
  await lab.served(namespace.metadata.name, { logins })
  await remove('-f', late)
  // Pods go on: what is in the namespaces stays until the credential goes.
  await lab.condition(credential.metadata.name, 'Ready', 'False')
  await lab.served(namespace.metadata.name, { logins })
  await remove('-k', sync)
  await expectGone(manifests)
})

test('a credential is deleted before its source and its namespace, which are left as they were', async () => {
  const { namespace, source, credential } = web(lab, 'leaving')
  const name = namespace.metadata.name
  const git = folder()
  await kubectl('apply', '-f', commit(git, 'all', [namespace, source, credential]))
  await wait(credential)
  await remove('-f', commit(git, 'credential', [credential]))
  expect(await lab.references(name)).toEqual([])
  await lab.clean(name)
  await remove('-f', commit(git, 'rest', [source, namespace]))
})

test(
  'without an operator the deletion waits, and the way out leaves a reference to nothing until there is one again',
  async () => {
    const { namespace, source, credential } = web(lab, 'stuck')
    const name = namespace.metadata.name
    const git = commit(folder(), 'git', [namespace, source, credential])
    await kubectl('apply', '-f', git)
    await wait(credential)
    await lab.served(name, { logins })
    await operator.whileDown(async () => {
      const stuck = kubectl('delete', 'rcred', credential.metadata.name, '--timeout=2s')
      await expect(stuck).rejects.toThrow('timed out waiting for the condition')
      await lab.served(name, { logins })
      const [, patch = ''] = /kubectl patch rcred web-registry --type=merge -p '(.*)'/.exec(page) ?? []
      await kubectl('patch', 'rcred', credential.metadata.name, '--type=merge', '-p', patch)
      await lab.gone(credential.metadata.name)
      // The garbage collector takes the Secret; nobody the reference.
      await lab.noSecret(name)
      expect(await lab.references(name)).toEqual(['regcred'])
    })
    await eventually(async () => expect(await lab.references(name)).toEqual([]))
    await lab.clean(name)
    await remove('-f', git, '--ignore-not-found')
  },
  RESTART_TIMEOUT_MS,
)
