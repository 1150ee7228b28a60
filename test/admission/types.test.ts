/**
 * Nobody checks the types of a mutating policy: a field with a typo is as one that is absent. The API server does check
 * validating ones, so the expressions are put into such a twin, which no binding puts into force.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/kube/objects.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { type Policy, read } from './policies.ts'

interface Twin extends KubeObject {
  status?: {
    observedGeneration?: number
    typeChecking?: { expressionWarnings?: { fieldRef: string; warning: string }[] }
  }
}

const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'

let lab: Lab

beforeAll(() => {
  lab = new Lab(sharedCluster())
})

afterAll(async () => {
  await lab.close()
})

/** Only validations are checked, and have to be boolean, so everything stands among them in a list. */
function twinOf({ apiVersion, spec }: Policy) {
  const { paramKind, matchConstraints, matchConditions, variables } = spec
  const validations = [...matchConditions, ...variables].map(({ expression }) => ({
    expression: `[${expression}].size() == 1`,
  }))
  return {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: `twin-${randomUUID()}` },
    spec: { paramKind, matchConstraints, variables, validations },
  }
}

/** Warnings of the type check. */
async function warningsFor(policy: Policy): Promise<string[]> {
  const { metadata } = await lab.create(path, twinOf(policy))
  const checked = async () => {
    const { status, metadata: now } = await lab.client.get<Twin>(`${path}/${metadata.name}`)
    return status?.observedGeneration === now.generation && status?.typeChecking ? status.typeChecking : null
  }
  const { expressionWarnings = [] } = await eventually(checked, { describe: 'the type check' })
  return expressionWarnings.map(({ fieldRef, warning }) => `${fieldRef}: ${warning}`)
}

describe.each(['serviceaccounts', 'pods'] as const)('of the policy for %s', (file) => {
  test('every expression has the types of the CRD and of Kubernetes', async () => {
    expect(await warningsFor(read(file)[0])).toEqual([])
  })

  test.each([
    ['params.spec.?secretName', 'secretNameTypo'],
    ['params.spec.?namespaces.?include', 'includeTypo'],
    ['params.spec.?namespaces.?selector.?matchLabels', 'matchLabelsTypo'],
    ['params.spec.?namespaces.?optIn', 'optInTypo'],
    ['params.spec.?serviceAccounts', 'serviceAccountsTypo'],
    ['params.spec.?suspend', 'suspendTypo'],
    ['params.metadata.deletionTimestamp', 'deletionTimestampTypo'],
    ['e.operator', 'operatorTypo'],
    ['imagePullSecrets', 'imagePullSecretsTypo'],
  ])('a typo in %s is found', async (right, typo) => {
    const [policy] = read(file)
    const wrong = right.replace(/\w+$/, typo)
    const misspelt = JSON.parse(JSON.stringify(policy).replaceAll(right, wrong)) as Policy
    expect(misspelt).not.toEqual(policy)
    expect((await warningsFor(misspelt)).join('\n')).toContain(`undefined field '${typo}'`)
  })
})
