/**
 * The expressions for Flux in docs/how-to/gitops.md, evaluated as kustomize-controller does (fluxcd/pkg, runtime/cel/status_evaluator.go):
 * by the CEL of a real API server, in an admission policy that answers with the verdict.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { type Status, statusOf } from '../../src/model/status.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { applyCrd, copyOfCrd } from '../crds/copy.ts'
import { findings, outcome } from '../model/findings.ts'
import { type Verdict, verdictOf } from '../model/kstatus.ts'
import { statusCases } from '../model/status-cases.ts'
import { openApi } from '../support/api.ts'

const group = 'expressions.example.com'
const now = '2026-01-02T00:00:00Z'

interface Expressions {
  apiVersion: string
  kind: string
  inProgress?: string
  failed: string
  current: string
}

const page = readFileSync(join('docs', 'how-to', 'gitops.md'), 'utf8')
const [lenient, strict] = [...page.matchAll(/```yaml\n(healthCheckExprs:\n.*?)```/gs)].map(([, text = '']) => {
  const [expressions] = parse(text).healthCheckExprs as Expressions[]
  if (expressions === undefined) throw new Error('no expressions')
  return expressions
})

const cluster = sharedCluster()
const api = openApi(cluster.adminKubeconfig)
const crd = copyOfCrd(group)

/** Flux gives the fields of the object as variables, an admission policy the object. */
const ofObject = (expression: string) =>
  expression.replaceAll(/(?<![\w.'"])(status|metadata|spec)\b(?=[.[?])/g, 'object.$1')

function policy(name: string, { inProgress = 'false', failed, current }: Expressions): object[] {
  const metadata = { name: `${name}.${group}` }
  const answers = [
    ['inProgress', 'InProgress', inProgress],
    ['failed', 'Failed', failed],
    ['current', 'Current', current],
  ]
  const verdict = answers.map(([variable, answer]) => `variables.${variable} ? '${answer}' : `).join('')
  const apiVersion = 'admissionregistration.k8s.io/v1'
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE'], resources: ['copies'] }],
        },
        matchConditions: [{ name: 'asked', expression: `object.metadata.name == '${name}'` }],
        variables: answers.map(([variable, , expression = '']) => ({
          name: variable,
          expression: ofObject(expression),
        })),
        validations: [{ expression: 'false', messageExpression: `${verdict}'InProgress'` }],
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    },
  ]
}

/** What the API server's CEL makes of a status. */
async function evaluate(name: string, status: object | undefined): Promise<string> {
  const spec = { source: { secretRef: { name: 'any' } } }
  const object = { apiVersion: `${group}/v1`, kind: 'Copy', metadata: { name }, spec, ...(status && { status }) }
  const { body } = await api('POST', `/apis/${group}/v1/copies?dryRun=All`, object)
  return /denied request: (\w+)$/.exec(body.message ?? '')?.[1] ?? `no verdict: ${JSON.stringify(body)}`
}

/** As Flux: what is behind is in progress, whatever the expressions say. */
async function verdict(name: string, generation: number, status: Status): Promise<string> {
  return status.observedGeneration === generation ? await evaluate(name, status) : 'InProgress'
}

beforeAll(async () => {
  for (const version of crd.spec.versions) Object.assign(version, { subresources: undefined }) // a status can be created
  await applyCrd(cluster, crd)
  const policies = [policy('lenient', lenient as Expressions), policy('strict', strict as Expressions)].flat()
  for (const each of policies) await cluster.apply(JSON.stringify(each))
  for (const name of ['lenient', 'strict']) {
    await eventually(async () => expect(await evaluate(name, { observedGeneration: 1 })).toBe('InProgress'))
  }
})

afterAll(async () => {
  const kinds = 'validatingadmissionpolicybinding,validatingadmissionpolicy'
  await cluster.kubectl('delete', kinds, `lenient.${group}`, `strict.${group}`)
  await cluster.kubectl('delete', 'crd', crd.metadata.name)
})

test('they are for our kind, and there are two', () => {
  for (const each of [lenient, strict]) {
    expect(each).toMatchObject({
      apiVersion: 'regcred.dev/v1',
      kind: 'RegistryCredential',
      current: expect.any(String),
    })
  }
})

const cases = statusCases.filter(({ found }) => !found.credential.deleting)

describe('the lenient ones', () => {
  test.each(cases)('say what kstatus says when $when, but where namespaces fail', async ({ found, previous }) => {
    const status = statusOf(found, previous, now)
    const { generation } = found.credential
    const failing = status.conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'NamespacesFailed')
    const expected: Verdict = failing ? 'Current' : verdictOf({ generation, deleting: false, status })
    expect(await verdict('lenient', generation, status)).toBe(expected)
  })

  test('wait for the namespaces that do not fail', async () => {
    const failure = { reason: 'NotOwned', message: 'left alone' }
    const behind = { a: outcome({ failure }), b: outcome({ version: 1 }) }
    expect(await verdict('lenient', 1, statusOf(findings(behind), undefined, now))).toBe('InProgress')
    const served = { a: outcome({ failure }), b: outcome() }
    expect(await verdict('lenient', 1, statusOf(findings(served), undefined, now))).toBe('Current')
  })
})

describe('the strict ones', () => {
  test.each(cases)('want Verified beside what kstatus says when $when', async ({ found, previous }) => {
    const status = statusOf(found, previous, now)
    const { generation } = found.credential
    const asked = status.conditions?.find(({ type }) => type === 'Verified')?.status
    const ofKstatus = verdictOf({ generation, deleting: false, status })
    const expected: Verdict =
      ofKstatus === 'Current' && asked !== 'True' ? (asked === 'False' ? 'Failed' : 'InProgress') : ofKstatus
    expect(await verdict('strict', generation, status)).toBe(expected)
  })

  test.each([
    ['Valid', 'Current'],
    ['Unknown', 'InProgress'],
    ['Invalid', 'Failed'],
  ] as const)('where the registry says %s: %s', async (said, expected) => {
    const check = { verdict: said, reason: 'Reason', message: 'what it said' }
    const status = statusOf(findings({ a: outcome() }, { check }), undefined, now)
    expect(await verdict('strict', 1, status)).toBe(expected)
  })
})

test.each([[undefined], [{ observedGeneration: -1 }], [{}]])(
  'a credential with the status %j is in progress',
  async (status) => {
    expect(await evaluate('lenient', status)).toBe('InProgress')
    expect(await evaluate('strict', status)).toBe('InProgress')
  },
)
