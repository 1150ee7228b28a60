/**
 * The policies of config/admission, as they are or changed, on a control plane of one's own: on the shared one they would
 * do the work of the operator that other tests look at.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../src/kube/objects.ts'
import type { Cluster } from '../cluster/access.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type ServiceAccount, serviceAccountPath } from '../controller/lab.ts'

export const policiesFolder = join(import.meta.dirname, '..', '..', 'config', 'admission')

export interface Policy {
  apiVersion: string
  kind: 'MutatingAdmissionPolicy'
  metadata: { name: string }
  spec: {
    paramKind: object
    failurePolicy: 'Ignore' | 'Fail'
    matchConstraints: object
    matchConditions: { name: string; expression: string }[]
    variables: { name: string; expression: string }[]
    mutations: { jsonPatch: { expression: string } }[]
  }
}

export interface Binding {
  apiVersion: string
  kind: 'MutatingAdmissionPolicyBinding'
  metadata: { name: string }
  spec: { policyName: string; paramRef: object }
}

/** A policy and its binding, as they are written. */
export function read(file: 'serviceaccounts' | 'pods'): [Policy, Binding] {
  const text = readFileSync(join(policiesFolder, `${file}.yaml`), 'utf8')
  return parseAllDocuments(text).map((document) => document.toJS()) as [Policy, Binding]
}

export interface Pod extends KubeObject {
  spec: { imagePullSecrets?: PullSecrets }
}

type PullSecrets = readonly { name?: string }[]

export function namesOf(imagePullSecrets: PullSecrets = []): string[] {
  return imagePullSecrets.map(({ name }) => name ?? '')
}

/** Options of a write that is admitted as any other, and not stored. */
export const dryRun = { fieldManager: 'test', query: { dryRun: 'All' } }

export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`
}

/** As small as the API server takes it. */
export function pod(name: string, imagePullSecrets: readonly string[], serviceAccountName = 'default') {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      serviceAccountName,
      containers: [{ name: 'main', image: 'ghcr.io/acme/app:1.0' }],
      imagePullSecrets: imagePullSecrets.map((each) => ({ name: each })),
    },
  }
}

export interface Variant {
  /** Names of Secrets; default: as written. */
  allowed?: readonly string[]
  /** Fail makes errors of the evaluation visible, which Ignore hides. Default: as written. */
  failurePolicy?: 'Ignore' | 'Fail'
}

/** Applies both policies and waits until they act. The CRD must be there. */
export async function applyPolicies(cluster: Cluster, { allowed, failurePolicy }: Variant = {}): Promise<void> {
  for (const [policy, binding] of [read('serviceaccounts'), read('pods')]) {
    if (allowed) Object.assign(policy.spec.variables[0] ?? {}, { expression: listOf(allowed) })
    if (failurePolicy) policy.spec.failurePolicy = failurePolicy
    await cluster.apply([policy, binding].map((object) => JSON.stringify(object)).join('\n---\n'))
  }
  await acting(cluster, allowed?.[0] ?? 'regcred')
}

/** Waits until the policies act, which takes a second, and up to half a minute where they were there before the CRD. */
export async function acting(cluster: Cluster, secretName = 'regcred'): Promise<void> {
  const lab = new Lab(cluster)
  try {
    const namespace = await lab.namespace('probe')
    const source = { secretRef: { name: 'none' } }
    const selection = { include: [namespace], optIn: true }
    await lab.credential('probe', { source, secretName, namespaces: selection, pods: 'AddToOwnList' })
    const act = async () => {
      const probe = { metadata: { annotations: { probed: 'true' } } }
      const { imagePullSecrets } = await lab.client.mergePatch<ServiceAccount>(
        serviceAccountPath(namespace),
        probe,
        dryRun,
      )
      const { spec } = await lab.client.create<Pod>(podsPath(namespace), pod('probe', ['own']), dryRun)
      return [imagePullSecrets, spec.imagePullSecrets].every((each) => namesOf(each).includes(secretName))
    }
    await eventually(act, { describe: 'the policies act' })
  } finally {
    await lab.close()
  }
}

function listOf(names: readonly string[]): string {
  return `[${names.map((name) => `'${name}'`).join(', ')}]`
}
