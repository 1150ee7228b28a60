/** Every manifest in examples/ is one that the API server takes, and every command in the READMEs names files that exist. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { sharedCluster } from '../cluster/shared.ts'
import { type Answer, type Api, openApi } from '../support/api.ts'

const root = join(import.meta.dirname, '..', '..')
/** The ladder, and one for each source, which a page explains. */
const examples = readdirSync(join(root, 'examples'))
  .filter((name) => name !== 'sources')
  .sort()
const sources = readdirSync(join(root, 'examples', 'sources')).sort()

interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
}

const manifests = globSync('examples/{*,sources/*}/*.yaml', { cwd: root })
  .filter((file) => !file.endsWith('kustomization.yaml'))
  .sort()
  .flatMap((file) =>
    parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((document) => {
      const manifest: Manifest = document.toJS()
      return { file, manifest, what: `${manifest.kind} ${manifest.metadata.name}` }
    }),
  )

/** Collection of each kind; `NAMESPACE` is filled in. */
const paths: Record<string, string> = {
  Namespace: '/api/v1/namespaces',
  Secret: '/api/v1/namespaces/NAMESPACE/secrets',
  ServiceAccount: '/api/v1/namespaces/NAMESPACE/serviceaccounts',
  Pod: '/api/v1/namespaces/NAMESPACE/pods',
  RegistryCredential: '/apis/regcred.dev/v1/registrycredentials',
}

test('the ladder has its five steps, each with an explanation and manifests', () => {
  expect(examples.map((name) => name.slice(0, 2))).toEqual(['01', '02', '03', '04', '05'])
  for (const name of examples) {
    expect(readFileSync(join(root, 'examples', name, 'README.md'), 'utf8')).toContain(`examples/${name}`)
    expect(manifests.some(({ file }) => file.startsWith(join('examples', name)))).toBe(true)
  }
})

test.each(sources)('the example of the source %s has a credential, and its page says how to apply it', (name) => {
  expect(existsSync(join(root, 'examples', 'sources', name, 'credential.yaml'))).toBe(true)
  expect(readFileSync(join(root, 'docs', 'how-to', 'sources', `${name}.md`), 'utf8')).toContain(
    `examples/sources/${name}`,
  )
})

const pages = [
  ...examples.map((name) => `examples/${name}/README.md`),
  ...sources.map((name) => `docs/how-to/sources/${name}.md`),
]

test.each(pages)('the files that %s names exist', (page) => {
  const readme = readFileSync(join(root, page), 'utf8')
  const named = [...readme.matchAll(/examples\/[\w./-]+/g)].map(([path]) => path)
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
})

describe('the API server accepts', () => {
  let api: Api

  beforeAll(() => {
    api = openApi(sharedCluster().adminKubeconfig)
  })

  test.each(manifests)('$what of $file', async ({ manifest }) => {
    const { status, body } = await createUnderNewName(manifest)
    expect([status, body.message]).toEqual([201, undefined])
  })

  /** As a dry run, under a name that nothing in the cluster has, in a namespace that exists. */
  function createUnderNewName(manifest: Manifest): Promise<Answer> {
    const namespace = manifest.metadata.namespace
    const metadata = {
      ...manifest.metadata,
      name: `${manifest.metadata.name}-tested`,
      ...(namespace && { namespace: 'default' }),
    }
    const path = paths[manifest.kind]?.replace('NAMESPACE', 'default')
    return api('POST', `${path}?dryRun=All&fieldValidation=Strict`, { ...manifest, metadata })
  }
})

test('names are used by one example only, so that all can be applied to one cluster', () => {
  const names = manifests.map(({ file, manifest: { kind, metadata } }) => {
    const owner = dirname(file)
    return `${kind}/${metadata.namespace ?? ''}/${metadata.name} ${owner}`
  })
  const objects = new Set(names.map((name) => name.split(' ')[0]))
  expect(names).toHaveLength(objects.size)
})

test('namespaced objects are in a namespace of the example or in that of the operator', () => {
  const namespaces = new Set(
    manifests.filter(({ manifest }) => manifest.kind === 'Namespace').map(({ manifest }) => manifest.metadata.name),
  )
  const strays = manifests.filter(({ manifest: { metadata } }) => {
    return (
      metadata.namespace !== undefined && metadata.namespace !== 'regcred-system' && !namespaces.has(metadata.namespace)
    )
  })
  expect(strays.map(({ what }) => what)).toEqual([])
})

test('the GitOps folder is a kustomization that the API server accepts', async () => {
  const folder = join(root, 'examples', '05-gitops')
  const output = await sharedCluster().kubectl('apply', '--server-side', '--dry-run=server', '-k', folder)
  expect(output).toContain('registrycredential.regcred.dev/web-registry serverside-applied (server dry run)')
})
