/** The rest of examples/05-gitops: the operator by Kustomize and Helm, and the source by tools whose CRDs are not here. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { givenBy } from '../../src/model/source-secret.ts'
import { testWithMutatingPolicies } from '../cluster/served.ts'
import { sharedCluster } from '../cluster/shared.ts'

const root = join(import.meta.dirname, '..', '..')
const example = join(root, 'examples', '05-gitops')
const cluster = sharedCluster()

const read = (...path: string[]) => readFileSync(join(example, ...path), 'utf8')
const all = (...path: string[]) => parseAllDocuments(read(...path)).map((document) => document.toJS())

describe('the operator by Kustomize', () => {
  test("is config/default with the admission policies and an image of one's own", async () => {
    const built = await cluster.kubectl('kustomize', join(example, 'operator'))
    expect(built).toContain('image: registry.example.com/regcred-operator:0.1.0')
    expect(built).not.toContain('image: ghcr.io/regcred')
    expect(built.match(/^kind: MutatingAdmissionPolicy$/gm)).toHaveLength(2)
  })

  testWithMutatingPolicies('is taken by the API server', async () => {
    const dryRun = ['--server-side', '--force-conflicts', '--dry-run=server']
    expect(await cluster.kubectl('apply', ...dryRun, '-k', join(example, 'operator'))).toContain('deployment.apps/')
  })
})

describe('the operator by Helm', () => {
  const [, release] = all('operator', 'flux-helm.yaml')
  const [application] = all('operator', 'argocd-helm.yaml')
  const charts = [release.spec.chart.spec.chart, application.spec.source.path].map((path: string) => join(path))
  const valuesFile = join(root, charts[0] ?? '', 'values.yaml')

  test('Flux and Argo CD take the same chart, of the same version, into the namespace of the operator, with the same values', () => {
    const [repository] = all('operator', 'flux-helm.yaml')
    expect(release.spec.chart.spec.sourceRef).toEqual({ kind: repository.kind, name: repository.metadata.name })
    expect(repository.spec).toMatchObject({
      url: application.spec.source.repoURL,
      ref: { tag: application.spec.source.targetRevision },
    })
    expect(new Set(charts)).toEqual(new Set([join('charts', 'regcred-operator')]))
    expect([release.spec.targetNamespace, application.spec.destination.namespace]).toEqual([
      'regcred-system',
      'regcred-system',
    ])
    expect(application.spec.source.helm.valuesObject).toEqual(release.spec.values)
  })

  test('the chart has these values', () => {
    const known = parse(readFileSync(valuesFile, 'utf8'))
    const unknown = (given: object, has: object): string[] =>
      Object.entries(given).flatMap(([key, value]) => {
        const below = (has as Record<string, unknown>)[key]
        if (!(key in has)) return [key]
        return isMap(value) && isMap(below) ? unknown(value, below) : []
      })
    expect(unknown(release.spec.values, known)).toEqual([])
  })

  const isMap = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
})

/** What each tool makes of its file: name, type and keys of the Secret. */
describe('the source', () => {
  const clear = parse(read('source', 'secret.yaml'))
  const about = { name: 'web-registry', namespace: 'regcred-system' }
  const keys = ['password', 'username']

  test('in clear is one that the operator reads, for the registries of the credential', async () => {
    const [credential] = all('credential.yaml')
    expect(credential.spec.source.secretRef.name).toBe(clear.metadata.name)
    expect(clear).toMatchObject({ metadata: about, type: 'kubernetes.io/basic-auth' })
    expect(Object.keys(clear.stringData).sort()).toEqual(keys)
    const data = Object.fromEntries(
      Object.entries<string>(clear.stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    )
    expect(givenBy({ type: clear.type, data })).toEqual({ login: clear.stringData })
    expect(credential.spec.registries).toEqual(['ghcr.io/acme/'])
    await cluster.kubectl('apply', '--server-side', '--dry-run=server', '-f', join(example, 'source', 'secret.yaml'))
  })

  test('by Sealed Secrets is the same Secret', () => {
    const { kind, metadata, spec } = parse(read('source', 'sealed-secret.yaml'))
    expect([kind, metadata]).toEqual(['SealedSecret', about])
    expect(spec.template).toEqual({ metadata: about, type: clear.type })
    expect(Object.keys(spec.encryptedData).sort()).toEqual(keys)
  })

  test('by the External Secrets Operator is the same Secret', () => {
    const { kind, metadata, spec } = parse(read('source', 'external-secret.yaml'))
    expect([kind, metadata]).toEqual(['ExternalSecret', about])
    expect(spec.target).toEqual({ name: about.name, template: { type: clear.type } })
    expect(spec.data.map(({ secretKey }: { secretKey: string }) => secretKey).sort()).toEqual(keys)
  })

  test('by SOPS is encrypted in what is secret alone, and decrypted by Flux', () => {
    const { creation_rules: rules } = parse(read('source', 'sops', '.sops.yaml'))
    const [{ path_regex: path, encrypted_regex: fields, age }] = rules
    expect('web-registry.sops.yaml').toMatch(new RegExp(path))
    expect(read('README.md')).toContain('sops --encrypt --in-place web-registry.sops.yaml')
    expect(Object.keys(clear).filter((field) => new RegExp(fields).test(field))).toEqual(['stringData'])
    expect(age).toMatch(/^age1[a-z0-9]{58}$/)
    const [sync] = all('source', 'sops', 'flux.yaml')
    expect(sync.spec.decryption).toEqual({ provider: 'sops', secretRef: { name: 'sops-age' } })
  })
})
