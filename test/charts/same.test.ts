/** The chart installs what config/ installs: the same objects, but for the labels that Helm's charts have. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, test } from '@jest/globals'
import { isServed } from '../cluster/served.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { deploymentOf, everything, type Manifest, parseAll, renderObjects, root } from './chart.ts'

const cluster = sharedCluster()
const config = join(root, 'config')

interface Kustomization {
  /** Below config/; default `default`. */
  base?: string
  components?: string[]
  /** Below config/, beside the base. */
  beside?: string[]
  namespace?: string
  patches?: object[]
}

/** What kustomize makes of a folder of config/ with these components, without the namespace, which Helm leaves to its users. */
async function kustomize(kustomization: Kustomization = {}): Promise<Manifest[]> {
  const { base = 'default', components = [], beside = [], ...others } = kustomization
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-'))
  const path = (name: string) => relative(folder, join(config, name))
  const written = { ...others, resources: [base, ...beside].map(path), components: components.map(path) }
  try {
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(written))
    // It writes folded texts with one empty line more than they have, where a line is indented more than the one before.
    const text = (await cluster.kubectl('kustomize', folder)).replaceAll(/\n\n(?= {6,}\S)/g, '\n')
    const manifests = parseAll(text).filter(({ kind }) => kind !== 'Namespace')
    // It does not know that these have none; the API server drops it.
    for (const { kind, metadata } of manifests) if (/AdmissionPolicy/.test(kind)) delete metadata.namespace
    return manifests
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Labels that say who installed an object. */
const ofInstaller = /^(app\.kubernetes\.io\/(name|instance|version|managed-by)|helm\.sh\/chart)$/

/** By kind and name, without what the labels of an object say of its installer. */
function byName(manifests: Manifest[]): Map<string, object> {
  const entries = manifests.map(({ metadata: { labels = {}, ...metadata }, ...object }): [string, object] => {
    const others = Object.entries(labels).filter(([name]) => !ofInstaller.test(name))
    return [`${object.kind} ${metadata.name}`, { ...object, metadata, labels: Object.fromEntries(others) }]
  })
  expect(new Set(entries.map(([name]) => name)).size).toBe(entries.length)
  return new Map(entries.sort())
}

/** Without what Helm itself reads. */
const plain = { admissionPolicies: { enabled: false }, crds: { keep: false } }

interface Feature {
  what: string
  kustomization: Kustomization
  /** Of the chart. */
  values: object
  /** Default `regcred-system`. */
  namespace?: string
  /** Of helm. */
  args?: string[]
}

const features: Feature[] = [
  { what: 'nothing else', kustomization: {}, values: {} },
  {
    what: 'the admission policies',
    kustomization: { components: ['admission'] },
    values: { admissionPolicies: { enabled: true } },
  },
  {
    what: 'the admission policies where the cluster has the kind',
    kustomization: { components: ['admission'] },
    values: { admissionPolicies: { enabled: 'auto' } },
    args: ['--api-versions', 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy'],
  },
  {
    what: 'more Secret names',
    kustomization: { components: ['admission', 'secret-names'] },
    values: { admissionPolicies: { enabled: true }, secretNames: ['regcred', 'regcred-ci'] },
  },
  { what: 'identities', kustomization: { components: ['identities'] }, values: { identities: ['ecr-puller'] } },
  {
    what: 'the eviction of pods',
    kustomization: { components: ['evict-pods'] },
    values: { evictPods: { enabled: true } },
  },
  {
    what: 'the policy for trusted registries',
    kustomization: { beside: ['policies/trusted-registries'] },
    values: { trustedRegistries: { enabled: true } },
  },
  {
    what: 'a NetworkPolicy',
    kustomization: { components: ['network-policy'] },
    values: { networkPolicy: { enabled: true } },
  },
  {
    what: 'what Prometheus and Grafana need',
    kustomization: { components: ['monitoring'] },
    values: {
      monitoring: {
        readers: [{ namespace: 'monitoring', name: 'prometheus-k8s' }],
        serviceMonitor: { enabled: true },
        prometheusRule: { enabled: true },
        dashboard: { enabled: true },
      },
    },
  },
  {
    what: 'everything, in another namespace',
    kustomization: {
      namespace: 'elsewhere',
      components: [
        'admission',
        'secret-names',
        'identities',
        'evict-pods',
        'network-policy',
        'policies/trusted-registries-from-credentials',
      ],
      beside: ['policies/trusted-registries'],
      patches: [
        {
          target: { kind: 'ValidatingAdmissionPolicyBinding', name: 'trusted-registries-.*' },
          patch: '[{"op": "replace", "path": "/spec/paramRef/namespace", "value": "elsewhere"}]',
        },
      ],
    },
    values: {
      admissionPolicies: { enabled: true },
      secretNames: ['regcred', 'regcred-ci'],
      identities: ['ecr-puller'],
      evictPods: { enabled: true },
      networkPolicy: { enabled: true },
      trustedRegistries: { enabled: true, fromCredentials: true },
    },
    namespace: 'elsewhere',
  },
  {
    what: 'one replica',
    kustomization: { base: 'overlays/minimal' },
    values: { replicaCount: 1, podDisruptionBudget: { enabled: false } },
  },
  {
    what: 'high availability',
    kustomization: { base: 'overlays/high-availability' },
    values: { admissionPolicies: { enabled: true } },
  },
  {
    what: 'the users of OpenShift',
    kustomization: { base: 'overlays/openshift' },
    values: { podSecurityContext: { runAsUser: null, runAsGroup: null } },
  },
  {
    what: 'an image of its own',
    kustomization: { base: 'overlays/air-gapped' },
    values: {
      image: { repository: 'registry.example.com/regcred/regcred-operator' },
      imagePullSecrets: [{ name: 'regcred-operator-pull' }],
    },
  },
]

test('plugins and files are mounted as in the examples for kubectl', async () => {
  const components = ['exec', 'files'].map((source) => `../examples/sources/${source}/operator`)
  const volume = {
    name: 'dockerhub',
    csi: {
      driver: 'secrets-store.csi.k8s.io',
      readOnly: true,
      volumeAttributes: { secretProviderClass: 'dockerhub' },
    },
  }
  const image = 'registry.example.com/registry-plugins:1'
  const command = ['cp', '/plugins/ecr-credential-provider', '/copy/']
  const values = { execPlugins: { image, command }, filesVolumes: [volume] }
  const pods = [await kustomize({ components }), await renderObjects(values)].map((manifests) => {
    const { containers, volumes = [], ...pod } = deploymentOf(manifests).spec.template.spec
    return { ...pod, volumes: sorted(volumes), mounts: sorted(containers[0].volumeMounts ?? []) }
  })
  expect(pods[1]).toEqual(pods[0])
})

/** The order of these means nothing. */
function sorted(objects: object[]): object[] {
  return objects.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
}

test('the API server takes everything that there can be, and knows every field', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'everything-'))
  try {
    const file = join(folder, 'all.json')
    const isThere = ({ apiVersion }: Manifest) => !apiVersion.startsWith('monitoring.coreos.com/')
    const items = (await renderObjects({}, { args: ['-f', everything] })).filter(isThere).filter(isServed)
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    const flags = ['--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict']
    const applied = await cluster.kubectl('apply', ...flags, '-f', file)
    expect(applied.trim().split('\n')).toHaveLength(items.length)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each(features)(
  'with $what chart and kustomize give the same objects',
  async ({ kustomization, values, ...at }) => {
    const given = byName(await kustomize(kustomization))
    const made = byName(await renderObjects({ ...plain, ...values }, { ...at, release: 'anything' }))
    expect([...made.keys()]).toEqual([...given.keys()])
    expect(made).toEqual(given)
  },
)
