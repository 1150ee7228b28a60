/** Whether admission policies act is found out by a dry run, against an API server with a policy and one without. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { AdmissionProbe } from '../../src/controller/admission-probe.ts'
import { CredentialStates } from '../../src/controller/credential-states.ts'
import { Reporter } from '../../src/controller/reporter.ts'
import { createCaches } from '../../src/controller/watches.ts'
import type { EventRecord, EventRecorder } from '../../src/kube/events.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { hasMutatingPolicies } from '../cluster/served.ts'
import { recordingLog } from '../kube/setup.ts'
import { credential, state } from '../model/builders.ts'
import { Lab } from './lab.ts'

const lab = new Lab()
let namespace: string
let number = 0

beforeAll(async () => {
  namespace = await lab.namespace('probe')
})
afterAll(() => lab.close())

/** A ServiceAccount with two pull Secrets, one of them ours, and credentials that this process alone knows. */
async function probeOf(specs: Partial<RegistryCredentialSpec>[]) {
  const name = `app-${++number}`
  const made = await lab.create<KubeObject>(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name },
    imagePullSecrets: [{ name: 'own' }, { name: 'regcred' }],
  })
  const caches = createCaches(['regcred'])
  caches.serviceAccounts.writeThrough(made)
  caches.namespaces.writeThrough(await lab.client.get(`/api/v1/namespaces/${namespace}`))
  const credentials = new CredentialStates('regcred-system')
  for (const [index, spec] of specs.entries()) {
    const of = credential(`probe-${index}`, { serviceAccounts: ['app-*'], ...spec })
    const nothing = {
      isOutdated: false,
      problem: undefined,
      refreshFailure: undefined,
      material: undefined,
      check: undefined,
    }
    credentials.set({ ...state(of), ...nothing })
  }
  const told: Pick<EventRecord, 'reason' | 'type' | 'note'>[] = []
  const events = { record: ({ reason, type, note }: EventRecord) => void told.push({ reason, type, note }) }
  const found: boolean[] = []
  const probe = new AdmissionProbe({
    client: lab.client,
    caches,
    credentials,
    reporter: new Reporter(events as EventRecorder, (text) => text),
    log: recordingLog().log,
    found: (acts) => void found.push(acts),
    signal: new AbortController().signal,
  })
  return { name, ask: () => probe.ask(namespace, name, 'regcred'), told, found }
}

const missing = { type: 'Normal', reason: 'AdmissionPoliciesMissing' }

test('where no policy acts, that is told once, with the cure, and nothing is changed', async () => {
  const { name, ask, told, found } = await probeOf([{}])
  const before = await lab.serviceAccount(namespace, name)
  await ask()
  await ask()
  expect(found).toEqual([false, false])
  const cure = hasMutatingPolicies
    ? /; install them \(config\/admission; Helm: admissionPolicies\.enabled\)\.$/
    : /; they need Kubernetes 1\.36 or later \(MutatingAdmissionPolicy\)\.$/
  expect(told).toEqual([{ ...missing, note: expect.stringMatching(cure) }])
  expect(await lab.serviceAccount(namespace, name)).toEqual(before)
})

test('a credential whose spec.pods has no effect without them is told so, whenever it comes', async () => {
  const { ask, told } = await probeOf([{}, { pods: 'AddToOwnList' }])
  await ask()
  await ask()
  const note = expect.stringMatching(/^spec\.pods AddToOwnList has no effect/)
  expect(told).toEqual([missing, { type: 'Warning', reason: missing.reason, note }].map(expect.objectContaining))
})

test.each<[string, Partial<RegistryCredentialSpec>]>([
  ['no credential selects the namespace', { namespaces: { include: ['other'], optIn: true } }],
  ['no credential selects the ServiceAccount', { serviceAccounts: ['other'] }],
  ['the credential asks for another Secret', { secretName: 'other' }],
])('where %s, no policy would act, and nothing is learnt', async (_, spec) => {
  const { ask, told, found } = await probeOf([spec])
  await ask()
  expect({ told, found }).toEqual({ told: [], found: [] })
})
