/**
 * What is trusted is said twice, in src/model/trusted.ts and as CEL in config/policies/trusted-registries. Here both are
 * asked about the same images and lists, and must give the answer that the table states: the CEL on a real API server, in a
 * twin of the policy that takes image and list from the object that is written, and, for pods, in the policy itself.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hasDigest, isTrusted, readTrusted as prefixesOf, trustedName } from '../../src/model/trusted.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { images, lists } from '../model/trusted-cases.ts'
import { inParallel } from '../support/in-parallel.ts'
import { admissionApi, readTrusted, Trusted } from './trusted.ts'

const cluster = sharedCluster()
const list = 'docker.io/library\nghcr.io/acme\nregistry.example.com:5000\nlocalhost\n'

let lab: Lab
let trusted: Trusted
let twins: string
let pods: string

/** Of ConfigMaps with `image` and `registries` in the namespaces that have the label `twin`. */
function twinOf(name: string) {
  const [policy] = readTrusted(name)
  const { paramKind: _, ...spec } = policy.spec
  const about = ['texts', 'tooLong', 'list', 'tooMuch', 'untrusted', 'withoutDigest']
  const variables = [
    { name: 'added', expression: '[string(object.data.image)]' },
    ...spec.variables
      .filter((variable) => about.includes(variable.name))
      .map((variable) => ({ ...variable, expression: variable.expression.replaceAll('params.', 'object.') })),
  ]
  expect(variables).toHaveLength(about.length + 1)
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'] }
  return {
    ...policy,
    spec: {
      ...spec,
      variables,
      matchConstraints: {
        resourceRules: [{ ...rule, resources: ['configmaps'], resourceNames: ['asked'] }],
      },
      validations: [
        { expression: 'variables.untrusted.size() == 0', message: 'untrusted' },
        { expression: 'variables.withoutDigest.size() == 0', message: 'without a digest' },
      ],
      auditAnnotations: [],
    },
  }
}

/** What the CEL says, of a list and whether digests are required. */
async function celTrusts(image: string, registries: string, digests = ''): Promise<boolean> {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'asked' },
    data: { image, registries, digests },
  }
  const { status, body } = await trusted.api('POST', `/api/v1/namespaces/${twins}/configmaps?dryRun=All`, object)
  if (status === 201) return true
  expect(body.message).toMatch(/denied request: (untrusted|without a digest)$/)
  return false
}

beforeAll(async () => {
  lab = new Lab(cluster)
  trusted = new Trusted(lab)
  const twin = lab.unique('twin')
  twins = await lab.namespace('twins', { [twin]: 'true' })
  const binding = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: twin },
    spec: {
      policyName: `${twin}.regcred.dev`,
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { [twin]: 'true' } } },
    },
  }
  await lab.create(`${admissionApi}/validatingadmissionpolicies`, twinOf(twin))
  await lab.create(`${admissionApi}/validatingadmissionpolicybindings`, binding)
  await trusted.install({ registries: list })
  pods = await trusted.namespace('pods', 'deny')
  await eventually(async () => expect(await celTrusts('nginx', '')).toBe(false))
})

afterAll(async () => {
  await trusted.remove()
  await lab.close()
})

/** Both answers. */
async function answers(image: string, registries: string) {
  return { cel: await celTrusts(image, registries), typescript: isTrusted(image, prefixesOf(registries)) }
}

const yes = { cel: true, typescript: true }
const no = { cel: false, typescript: false }

describe('an image', () => {
  test.each(images.filter(([, name]) => name !== ''))(
    '%j is %j: trusted by that, and by nothing beside it',
    async (image, name) => {
      const above = name.slice(0, name.lastIndexOf('/'))
      for (const registries of [name, above])
        expect([registries, await answers(image, registries)]).toEqual([registries, yes])
      const others = [`${name}/x`, `${name}x`, name.slice(1), `${above}/x`, '']
      for (const registries of others) expect([registries, await answers(image, registries)]).toEqual([registries, no])
    },
  )

  const everyName = images.map(([, name]) => name).join('\n')

  test.each(images.filter(([, name]) => name === ''))('%j is trusted by no list', async (image) => {
    expect(await answers(image, everyName)).toEqual(no)
    expect(await answers(image, `${image}\n${image.split('/')[0]}\n${image.toLowerCase()}`)).toEqual(no)
  })

  test.each(images)(
    '%j as the image of a pod is admitted where TypeScript trusts it, and nowhere else',
    async (image) => {
      const { status, body } = await trusted.pod(pods, image)
      const expected = isTrusted(image, prefixesOf(list))
      expect([status === 201, body.message ?? '']).toEqual([expected, expect.stringMatching(expected ? /^$/ : /./)])
    },
  )

  test.each(images.filter(([, name]) => name !== ''))(
    '%j names its digest to both or to neither',
    async (image, name) => {
      expect(await celTrusts(image, name, 'required')).toBe(hasDigest(image))
    },
  )
})

test.each(lists)('the list %j, asked for %j, says %j', async (registries, image, expected) => {
  expect(await answers(image, registries)).toEqual(expected ? yes : no)
})

/** Pieces that names and lists are made of, and that break them. */
const piece = fc.constantFrom(
  ...['ghcr.io', 'docker.io', 'index.docker.io', 'localhost', 'library', 'acme', 'a', 'A', '1', 'sha256', '[::1]'],
  ...[
    '/',
    '/',
    '/',
    ':',
    ':5000',
    '.',
    '-',
    '_',
    '__',
    '@',
    '@sha256:',
    '0'.repeat(64),
    ' ',
    '\n',
    '#',
    '*',
    '\u00a0',
    'é',
  ],
)
const text = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''))
/** An image, and lines of which one is the beginning of its name, as far as it has one. */
const question = fc.tuple(text, fc.array(text, { maxLength: 3 }), fc.nat()).map(([image, lines, cut]) => {
  const name = trustedName(image)
  const parts = name.split('/')
  return { image, registries: [...lines, parts.slice(0, cut % (parts.length + 1)).join('/')].join('\n') }
})
const seed = Number(process.env.SEED ?? 20260)

test(`both agree about what is made at random (SEED=${seed})`, async () => {
  const questions = fc.sample(question, { seed, numRuns: 600 })
  const trustedOnes: string[] = []
  await inParallel(questions, 8, async ({ image, registries }) => {
    const { cel, typescript } = await answers(image, registries)
    expect({ image, registries, trusted: cel }).toEqual({ image, registries, trusted: typescript })
    if (cel) trustedOnes.push(image)
  })
  expect(trustedOnes.length).toBeGreaterThan(20)
})

test('the tables are long, and what is to be trusted is as well as what is not', () => {
  const [named, unnamed] = [images.filter(([, name]) => name !== ''), images.filter(([, name]) => name === '')]
  expect(Math.min(named.length, unnamed.length)).toBeGreaterThan(40)
  expect(new Set(lists.map(([, , expected]) => expected)).size).toBe(2)
})
