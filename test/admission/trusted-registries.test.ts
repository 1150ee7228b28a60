/** What the policy for trusted registries tells, warns of and refuses, where, and by which list. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { digest } from '../model/trusted-cases.ts'
import { podsPath } from './policies.ts'
import { admissionApi, container, forbidden, podOf, readTrusted, Trusted, untrusted } from './trusted.ts'

const good = 'ghcr.io/acme/app:1'
const bad = 'ghcr.io/acmeevil/app:1'
const list = { registries: '# ours\nghcr.io/acme\n', credentials: 'registry.example.com/team' }

let lab: Lab
let trusted: Trusted
/** Of the mode deny. */
let denied: string

beforeAll(async () => {
  lab = new Lab(sharedCluster())
  trusted = new Trusted(lab)
  await trusted.install(list)
  denied = await trusted.namespace('denied', 'deny')
})

afterAll(async () => {
  await trusted.remove()
  await lab.close()
})

/** What the API server has written into its audit log about a request of this namespace, by the annotations of policies. */
async function annotationsOf(namespace: string): Promise<Record<string, string>> {
  const entries = (await lab.cluster.auditLog()).filter(
    (entry) => entry.namespace === namespace && entry.resource === 'pods',
  )
  return Object.assign({}, ...entries.map(({ annotations }) => annotations))
}

describe('the label of a namespace', () => {
  const told = (name: string) => `${name}.regcred.dev/untrusted`
  const failure = 'validation.policy.admission.k8s.io/validation_failure'

  test('deny refuses, says what, why and by which list, and writes it into the audit log', async () => {
    const { status, body } = await trusted.pod(denied, bad)
    const why = `not from a trusted registry: ${bad}. The ConfigMap regcred-system/${trusted.name} lists those that are, in its keys registries and credentials (this namespace has the label regcred.dev/${trusted.name}=deny)`
    expect([status, body.message]).toEqual([403, expect.stringContaining(why)])
    expect(await annotationsOf(denied)).toMatchObject({
      [told(trusted.name)]: bad,
      [failure]: expect.stringContaining('not from a trusted registry'),
    })
    expect(await trusted.pod(denied, good)).toMatchObject({ status: 201, warning: '' })
    expect(await trusted.pod(denied, 'registry.example.com/team/app')).toMatchObject({ status: 201 })
  })

  test('warn lets it pass, warns who writes it, and writes it into the audit log', async () => {
    const namespace = await trusted.namespace('warned', 'warn')
    expect(await trusted.pod(namespace, bad)).toMatchObject({ status: 201, warning: expect.stringContaining(bad) })
    expect(await annotationsOf(namespace)).toMatchObject({ [told(trusted.name)]: bad, [failure]: expect.any(String) })
    expect(await trusted.pod(namespace, good)).toMatchObject({ status: 201, warning: '' })
  })

  test('audit lets it pass, warns nobody, and writes it into the audit log', async () => {
    const namespace = await trusted.namespace('audited', 'audit')
    expect(await trusted.pod(namespace, bad)).toMatchObject({ status: 201, warning: '' })
    expect(await annotationsOf(namespace)).toMatchObject({ [told(trusted.name)]: bad, [failure]: expect.any(String) })
  })

  test('with any other value refuses, since a typo must not let everything pass', async () => {
    const namespace = await trusted.namespace('typo', 'wran')
    expect(await trusted.pod(namespace, bad)).toMatchObject(forbidden(untrusted))
    expect(await trusted.pod(namespace, good)).toMatchObject({ status: 201 })
  })

  test('counts as it is now; without it nothing is looked at', async () => {
    const namespace = await trusted.namespace('changed', 'deny')
    const label = `regcred.dev/${trusted.name}`
    await lab.label(namespace, { [label]: null })
    await eventually(async () => expect(await trusted.pod(namespace, bad)).toMatchObject({ status: 201, warning: '' }))
    await lab.label(namespace, { [label]: 'deny' })
    await eventually(async () => expect(await trusted.pod(namespace, bad)).toMatchObject(forbidden(untrusted)))
  })
})

test('a namespace can be bound by its name, so that nobody takes a label off; then none is named', async () => {
  const namespace = await lab.namespace('bound')
  const [, binding] = readTrusted(trusted.name)
  const named = [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [namespace] }]
  await lab.create(`${admissionApi}/validatingadmissionpolicybindings`, {
    ...binding,
    metadata: { name: lab.unique('by-name') },
    spec: {
      ...binding?.spec,
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchExpressions: named } },
    },
  })
  const refused = forbidden(/not from a trusted registry: \S+\. The .*, in its keys registries and credentials$/)
  await eventually(async () => expect(await trusted.pod(namespace, bad)).toMatchObject(refused))
  expect(await trusted.pod(namespace, good)).toMatchObject({ status: 201 })
})

describe('the list', () => {
  let own: Trusted
  let namespace: string
  let warned: string

  beforeAll(async () => {
    own = new Trusted(lab, 'own-list')
    await own.install({ registries: '' })
    namespace = await own.namespace('listed', 'deny')
    warned = await own.namespace('listed-warned', 'warn')
  })

  afterAll(async () => {
    await own.remove()
  })

  const becomes = async (image: string, answer: object) =>
    await eventually(async () => expect(await own.pod(namespace, image)).toMatchObject(answer))

  test('without a line trusts nothing, and is named as what to write to', async () => {
    expect(await own.pod(namespace, good)).toMatchObject(
      forbidden(
        new RegExp(`ConfigMap regcred-system/${own.name} lists no registry, in its keys registries and credentials`),
      ),
    )
  })

  test('acts when it is changed, whichever of its keys', async () => {
    await own.trust({ registries: 'ghcr.io/acme' })
    await becomes(good, { status: 201 })
    await own.trust({ credentials: 'ghcr.io/acme' })
    await becomes(good, { status: 201 })
    await own.trust({ registries: 'ghcr.io/other' })
    await becomes(good, forbidden(untrusted))
  })

  test('without its keys, or without data, trusts nothing', async () => {
    await own.trust({ registries: 'ghcr.io/acme' })
    await becomes(good, { status: 201 })
    await own.trust({})
    await becomes(good, forbidden(/lists no registry/))
  })

  test('that is not there refuses everything where it is to refuse, says so, and lets the rest pass', async () => {
    await own.trust(undefined)
    await becomes(good, { status: 422, body: { message: expect.stringContaining('no params found') } })
    expect(await own.pod(warned, bad)).toMatchObject({ status: 201 })
    await own.trust({ registries: 'ghcr.io/acme' })
    await becomes(good, { status: 201 })
  })

  test('can require digests, and says which images lack one', async () => {
    await own.trust({ registries: 'ghcr.io/acme', digests: 'required' })
    await becomes(
      good,
      forbidden(
        new RegExp(
          `denied request: without a digest: ${good}. The ConfigMap regcred-system/${own.name} wants NAME@sha256:... of each`,
        ),
      ),
    )
    expect(await own.pod(namespace, `${good}@${digest}`)).toMatchObject({ status: 201 })
    expect(await own.pod(namespace, `${bad}@${digest}`)).toMatchObject(forbidden(untrusted))
    expect(await own.pod(warned, good)).toMatchObject({
      status: 201,
      warning: expect.stringContaining('without a digest'),
    })
    expect(await annotationsOf(warned)).toMatchObject({ [`${own.name}.regcred.dev/without-digest`]: good })
  })
})

describe('however much there is to look at', () => {
  let large: Trusted
  let namespace: string
  let warned: string

  beforeAll(async () => {
    large = new Trusted(lab, 'large-list')
    await large.install({ registries: lines(500).join('\n') })
    namespace = await large.namespace('large', 'deny')
    warned = await large.namespace('large-warned', 'warn')
  })

  afterAll(async () => {
    await large.remove()
  })

  const lines = (count: number) => many(count, (index) => `registry-${index}.example.com/some-team/of-many`)
  const create = (images: readonly string[], where = namespace) => {
    const containers = images.map((image, index) => container(image, `c-${index}`))
    return large.api('POST', `${podsPath(where)}?dryRun=All`, podOf({ containers }))
  }
  const tooMuch = /denied request: too much to look at, and so not trusted: \d+ images, .*=deny\)$/
  const many = (count: number, text: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => text(index))
  const last = (index: number) => `registry-499.example.com/some-team/of-many/image-${index}:v1@${digest}`

  test('40 images are looked up in a list of 500 lines', async () => {
    expect(await create(many(40, last))).toMatchObject({ status: 201 })
    const images = [...many(39, last), 'registry-500.example.com/some-team/of-many/image']
    expect(await create(images)).toMatchObject(forbidden(untrusted))
  })

  test('the message stays short, whatever the images are called', async () => {
    const { status, body } = await create(many(30, (index) => `evil.example.com/${'long-'.repeat(30)}${index}`))
    expect(status).toBe(403)
    expect(body.message).toMatch(untrusted)
    expect(body.message?.length).toBeLessThan(1500)
  })

  test.each(['\nforged line', '\rforged line', '\u001b[31m', '\u009b31m', '\u2028x', '\u202e', 'é'])(
    'neither a message nor a warning is forged or lost by an image with %j',
    async (text) => {
      const images = [`evil.example.com/a${text}`, 'evil.example.com/b']
      const plain =
        /not from a trusted registry: \(a name with other characters than images have\), evil\.example\.com\/b\. The/
      expect(await create(images)).toMatchObject(forbidden(plain))
      expect(await create(images, warned)).toMatchObject({ status: 201, warning: expect.stringMatching(plain) })
    },
  )

  test('an image of a megabyte, and a thousand containers, are refused', async () => {
    expect(await create([`ghcr.io/acme/${'a'.repeat(1_000_000)}`])).toMatchObject(forbidden(tooMuch))
    expect(await create(many(1000, last))).toMatchObject(forbidden(/pod with more than 500 containers and volumes/))
  })

  test('20 images are looked up in a list of 1,000 lines, of both keys', async () => {
    await large.trust({ registries: `${lines(500).join('\n')} # ours`, credentials: lines(1000).slice(500).join('\n') })
    const image = (index: number) => `registry-999.example.com/some-team/of-many/image-${index}:v1@${digest}`
    await eventually(async () => expect(await create(many(20, image))).toMatchObject({ status: 201 }))
  })

  /** Lists, with images of which each takes the longest to be looked up. */
  const lists: Record<string, [lines: number, line: (index: number) => string, image: (index: number) => string]> = {
    'of many hosts': [
      2000,
      (index) => `registry-${index}.example.com/team`,
      (index) => `other.example.com/team/${index}`,
    ],
    'of one owner': [2000, (index) => `ghcr.io/acme/${index}`, (index) => `ghcr.io/acme/other-${index}`],
    'of long lines': [
      200,
      () => `ghcr.io/acme/${'c'.repeat(200)}`,
      (index) => `ghcr.io/acme/${'c'.repeat(180)}${index}`,
    ],
    'of comments': [4900, (index) => `ghcr.io/acme/${index} # ours`, (index) => `ghcr.io/acme/other-${index}`],
    'of nothing but images that are long': [1, () => '', (index) => `ghcr.io/acme/${index}${'/xx'.repeat(330)}`],
    'longer than anybody has': [20_000, () => '#', (index) => `ghcr.io/acme/${index}`],
  }

  test.each(Object.entries(lists))(
    'a list %s is refused where it is too much, in words of ours, and is so in no other mode',
    async (_, [count, line, image]) => {
      const name = Object.values(lists).findIndex(([, each]) => each === line)
      await large.trust({ registries: `marker.example.com/${name}\n${many(count, line).join('\n')}` })
      const marker = [`marker.example.com/${name}/x`]
      await eventually(async () =>
        expect((await create(marker)).body.message ?? '').toMatch(count > 5000 ? tooMuch : /^$/),
      )
      const words = /not from a trusted registry|too much to look at/
      const answers: string[] = []
      for (const used of [1, 4, 8, 12, 16, 24, 32, 48, 96, 200, 400]) {
        const images = many(used, image)
        const { status, body } = await create(images)
        expect([used, status, body.message]).toEqual([used, 403, expect.stringMatching(words)])
        answers.push(tooMuch.test(body.message ?? '') ? 'too much' : 'untrusted')
        const told = await create(images, warned)
        expect([used, told.status, told.warning]).toEqual([used, 201, expect.stringMatching(words)])
      }
      expect(answers).toEqual([...answers].sort().reverse()) // untrusted as long as it can be looked at
      expect(answers.at(-1)).toBe('too much')
    },
  )
})

describe('the policy', () => {
  test('is evaluated without a complaint about the types of its fields', async () => {
    const [policy] = readTrusted(trusted.name)
    const path = `${admissionApi}/validatingadmissionpolicies/${policy.metadata.name}`
    const typeChecking = await eventually(async () => {
      const { status } = (await trusted.api('GET', path)).body as { status?: { typeChecking?: object } }
      return status?.typeChecking ?? null
    })
    expect(typeChecking).toEqual({})
  })
})
