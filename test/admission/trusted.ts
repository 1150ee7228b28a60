/**
 * The policy of config/policies/trusted-registries under another name, by which it has a list and a label of its own: so
 * test files can share a control plane.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { eventually } from '../cluster/wait.ts'
import { type Lab, operatorNamespace } from '../controller/lab.ts'
import { type Answer, type Api, openApi } from '../support/api.ts'
import { podsPath } from './policies.ts'

const folder = join(import.meta.dirname, '..', '..', 'config', 'policies', 'trusted-registries')
export const admissionApi = '/apis/admissionregistration.k8s.io/v1'
const configMaps = `/api/v1/namespaces/${operatorNamespace}/configmaps`

export interface TrustedPolicy {
  apiVersion: string
  kind: 'ValidatingAdmissionPolicy'
  metadata: { name: string }
  spec: {
    paramKind: object
    failurePolicy: string
    matchConstraints: { resourceRules: { apiGroups: string[]; resources: string[] }[] }
    variables: { name: string; expression: string }[]
    validations: { expression: string; message: string; messageExpression?: string }[]
    auditAnnotations: { key: string; valueExpression: string }[]
  }
}

export interface TrustedBinding {
  apiVersion: string
  kind: 'ValidatingAdmissionPolicyBinding'
  metadata: { name: string }
  spec: { policyName: string; paramRef: object; validationActions: string[]; matchResources: object }
}

/** Policy and bindings, with `name` wherever they have trusted-registries. */
export function readTrusted(name = 'trusted-registries'): [TrustedPolicy, ...TrustedBinding[]] {
  const text = readFileSync(join(folder, 'policy.yaml'), 'utf8').replaceAll('trusted-registries', name)
  return parseAllDocuments(text).map((document) => document.toJS()) as [TrustedPolicy, ...TrustedBinding[]]
}

/** What a ConfigMap of the list may hold. */
export type List = { registries?: string; credentials?: string; digests?: string }

export class Trusted {
  /** As the admin. */
  readonly api: Api
  /** Of policy, ConfigMap and label, in place of trusted-registries. */
  readonly name: string
  readonly #lab: Lab

  /** @param name another for each of a lab */
  constructor(lab: Lab, name = 'trusted') {
    this.#lab = lab
    this.name = lab.unique(name)
    this.api = openApi(lab.cluster.adminKubeconfig)
  }

  /** Installs it and waits until it acts, with this list. */
  async install(list: List): Promise<void> {
    await this.trust(list)
    await this.#lab.cluster.apply(
      readTrusted(this.name)
        .map((object) => JSON.stringify(object))
        .join('\n---\n'),
    )
    const probe = await this.namespace(`probe-${this.name}`, 'deny')
    await eventually(async () =>
      expect(await this.pod(probe, 'not.trusted.example.com/x')).toMatchObject({ status: 403 }),
    )
  }

  async remove(): Promise<void> {
    const names = readTrusted(this.name).map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`)
    await this.#lab.cluster.kubectl('delete', '--ignore-not-found', ...names)
    await this.#lab.cluster.kubectl('delete', '--ignore-not-found', '-n', operatorNamespace, 'configmap', this.name)
  }

  /** Makes the ConfigMap this, or takes it away. Whoever asks next may still meet the list of before. */
  async trust(data: List | undefined): Promise<void> {
    const path = `${configMaps}/${this.name}`
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: this.name }, data }
    if (data) await this.#lab.client.apply(path, object, { fieldManager: 'test' })
    else await this.#lab.client.delete(path)
  }

  /** A namespace with this mode. */
  async namespace(name: string, mode: string): Promise<string> {
    return await this.#lab.namespace(name, { [`regcred.dev/${this.name}`]: mode })
  }

  /** Creates in a dry run a pod of this image. */
  async pod(namespace: string, image: string): Promise<Answer> {
    return await this.api('POST', `${podsPath(namespace)}?dryRun=All`, podOf({ containers: [container(image)] }))
  }
}

/** What the policy answers to what it refuses. */
export function forbidden(message: RegExp) {
  return { status: 403, body: { reason: 'Forbidden', message: expect.stringMatching(message) } }
}

export const untrusted = /denied request: not from a trusted registry: /

export function container(image: string, name = 'main') {
  return { name, image }
}

export function podOf(spec: object, name = 'tried') {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
}
