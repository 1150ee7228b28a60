/** The source Secret and the credential, by the real API server's word. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import type { RegistryCredential } from '../../../src/api/registry-credential.ts'
import { temporaryFolders } from '../../cluster/temporary.ts'
import { Lab, loginsOf, operatorNamespace, type Secret } from '../../controller/lab.ts'
import { first, startHttpProxy } from '../../kube/http-proxy.ts'
import { configOf } from '../../kube/setup.ts'
import { leaksIn, newCanary } from '../../support/canary.ts'
import { regcred } from '../plugin.ts'
import { credentialsRight, secretsRight, userWith } from '../rights.ts'

const folder = temporaryFolders()
const hub = 'https://index.docker.io/v1/'
const password = newCanary()
const byStdin = ['--docker-username', 'acme', '--password-stdin']
let lab: Lab
const made: string[] = []

beforeAll(() => {
  lab = new Lab()
})
afterAll(async () => {
  await lab.cluster.kubectl('delete', 'rcred', '--ignore-not-found', '--wait=false', ...made)
  await lab.cluster.kubectl('delete', 'secret', '-n', operatorNamespace, '--ignore-not-found', ...made)
  await lab.close()
})

/** A name that is free, and is free again afterwards. */
function nameFor(what: string): string {
  const name = lab.unique(what)
  made.push(name)
  return name
}

const sourceOf = (name: string) => lab.secret(operatorNamespace, name)

async function credentialOf(name: string): Promise<RegistryCredential | null> {
  const text = await lab.cluster.kubectl('get', 'rcred', name, '--ignore-not-found', '-o', 'json')
  return text === '' ? null : JSON.parse(text)
}

function create(name: string, ...args: string[]) {
  return regcred(['create', name, ...args], { input: `${password}\n` })
}

/** Neither object is there. */
async function expectNothing(name: string): Promise<void> {
  expect([await sourceOf(name), await credentialOf(name)]).toEqual([null, null])
}

test('with a password on standard input: a Secret as kubectl makes it, and a credential for the namespaces', async () => {
  const name = nameFor('stdin')
  const flags = [
    ...['--include', 'team-*,shop', '--include', 'web', '--exclude', 'team-sandbox', '-l', 'tier in (a,b)'],
    ...['--service-accounts', 'default,deploy-*', '--secret-name', 'regcred', '--verify-image', 'acme/app:1'],
    ...['--docker-email', 'ops@example.com'],
  ]
  expect(await create(name, ...byStdin, ...flags)).toEqual({
    code: 0,
    stdout: `secret/${name} created\nregistrycredential.regcred.dev/${name} created\n`,
    stderr: '',
  })
  const secret = (await sourceOf(name)) as Secret
  expect(loginsOf(secret)).toEqual({ [hub]: { username: 'acme', password } })
  expect(secret.type).toBe('kubernetes.io/dockerconfigjson')
  expect((await credentialOf(name))?.spec).toMatchObject({
    source: { secretRef: { name } },
    namespaces: {
      include: ['team-*', 'shop', 'web'],
      exclude: ['team-sandbox'],
      selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }] },
    },
    serviceAccounts: ['default', 'deploy-*'],
    secretName: 'regcred',
    verify: { image: 'acme/app:1' },
  })
})

test('who selects no namespace is told how namespaces get it', async () => {
  const { code, stderr } = await create(nameFor('opt-in'), ...byStdin)
  expect([code, stderr]).toEqual([0, expect.stringContaining('use.regcred.dev/')])
})

test('--docker-password works, and warns', async () => {
  const name = nameFor('argument')
  const flags = ['--docker-server', 'ghcr.io', '--docker-username', 'acme', '--docker-password', password]
  const { code, stderr } = await create(name, '--include', 'shop', ...flags)
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^Warning: --docker-password can be seen/)])
  expect(loginsOf((await sourceOf(name)) as Secret)).toEqual({ 'ghcr.io': { username: 'acme', password } })
})

test('of a docker config only those logins are taken that are asked for', async () => {
  const file = join(folder(), 'config.json')
  const auth = Buffer.from(`acme:${password}`).toString('base64')
  const auths = {
    'https://ghcr.io': { auth },
    'quay.io': { auth: Buffer.from('other:secret-of-another').toString('base64') },
    'helper.example.com': {},
    'acr.azurecr.io': { identitytoken: 'secret-of-yet-another' },
  }
  writeFileSync(file, JSON.stringify({ auths, credsStore: 'desktop', HttpHeaders: { 'X-Meta': 'kept-out' } }))
  const name = nameFor('config')
  expect((await create(name, '--include', 'shop', '--from-docker-config', file, '--registries', 'ghcr.io')).code).toBe(
    0,
  )
  const secret = (await sourceOf(name)) as Secret
  expect(loginsOf(secret)).toEqual({ 'ghcr.io': { username: 'acme', password } })
  expect(Buffer.from(secret.data?.['.dockerconfigjson'] ?? '', 'base64').toString()).not.toMatch(/kept-out|another/)

  const all = await create(nameFor('config-all'), '--from-file', `.dockerconfigjson=${file}`)
  expect([all.code, all.stdout]).toEqual([2, ''])
  expect(all.stderr).toMatch(/cannot be used: entry helper\.example\.com lacks a username or a password/)
})

test('--from-secret takes one of the operator as it is, and copies one of another namespace', async () => {
  const there = await lab.source('own', { 'ghcr.io': { username: 'acme', password } })
  const name = nameFor('from-own')
  const own = await create(name, '--include', 'shop', '--from-secret', `${operatorNamespace}/${there}`)
  expect(own).toEqual({ code: 0, stdout: `registrycredential.regcred.dev/${name} created\n`, stderr: '' })
  expect((await credentialOf(name))?.spec.source).toEqual({ secretRef: { name: there } })
  expect(await sourceOf(name)).toBeNull()

  const namespace = await lab.namespace('from')
  const data = { username: Buffer.from('acme').toString('base64'), password: Buffer.from(password).toString('base64') }
  await lab.create(`/api/v1/namespaces/${namespace}/secrets`, {
    metadata: { name: 'login' },
    type: 'kubernetes.io/basic-auth',
    data,
  })
  const copy = nameFor('from-other')
  const without = await create(copy, '--from-secret', `${namespace}/login`)
  expect([without.code, without.stderr]).toEqual([
    2,
    expect.stringContaining('name the registries they are for in --registries'),
  ])
  const { code, stderr } = await create(
    copy,
    '--include',
    'shop',
    '--from-secret',
    `${namespace}/login`,
    '--registries',
    'ghcr.io',
  )
  expect([code, stderr]).toEqual([0, expect.stringContaining('are not followed')])
  expect(loginsOf((await sourceOf(copy)) as Secret)).toEqual({ 'ghcr.io': { username: 'acme', password } })
})

test('--dry-run writes nothing: client needs no cluster, server asks it', async () => {
  const name = nameFor('dry')
  const args = ['create', name, ...byStdin, '--include', 'shop', '-o', 'yaml', '--dry-run=client']
  const offline = await regcred(args, { input: password, kubeconfig: '/nonexistent' })
  expect([offline.code, offline.stderr]).toEqual([0, ''])
  const [secret, credential] = parseAllDocuments(offline.stdout).map((document) => document.toJS())
  expect(loginsOf(secret)).toEqual({ [hub]: { username: 'acme', password } })
  const asked = await create(name, ...byStdin, '--include', 'shop', '--dry-run=server')
  expect(asked.stdout).toBe(
    `secret/${name} created (server dry run)\nregistrycredential.regcred.dev/${name} created (server dry run)\n`,
  )
  expect((await create(name, ...byStdin, '--include', 'shop', '--dry-run')).stdout).toContain('created (dry run)')
  await expectNothing(name)
  // What was printed is what would have been written.
  await lab.cluster.apply(offline.stdout)
  expect((await credentialOf(name))?.spec).toMatchObject(credential.spec)
})

test('-o json prints what was written, and with it the login, as whoever asks for it wants', async () => {
  const name = nameFor('printed')
  const { stdout } = await create(name, ...byStdin, '--include', 'shop', '-o', 'json')
  const { kind, items } = JSON.parse(stdout)
  expect([kind, items[0].metadata.uid, items[1].kind]).toEqual([
    'List',
    (await sourceOf(name))?.metadata.uid,
    'RegistryCredential',
  ])
  expect(loginsOf(items[0])).toEqual({ [hub]: { username: 'acme', password } })
  expect(items[0].metadata.managedFields).toBeUndefined()
})

test('nothing is written when the API server would refuse one of the two', async () => {
  const name = nameFor('half')
  const { code, stdout, stderr } = await create(name, ...byStdin, '--include', 'Team_*')
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^Error from server \(Invalid\): .*spec\.namespaces\.include/)
  await expectNothing(name)

  const rights = { cluster: [credentialsRight('get', 'create', 'patch')] }
  const forbidden = await regcred(['create', name, ...byStdin], { input: password, kubeconfig: await userWith(rights) })
  expect(forbidden.code).toBe(2)
  expect(forbidden.stderr).toContain(
    `cannot patch resource "secrets" in API group "" in the namespace "${operatorNamespace}"`,
  )
  await expectNothing(name)
  const namespaces = { [operatorNamespace]: [secretsRight('create', 'patch')] }
  const kubeconfig = await userWith({ cluster: [credentialsRight('get')], namespaces })
  const secretOnly = await regcred(['create', name, ...byStdin], { input: password, kubeconfig })
  expect([secretOnly.code, secretOnly.stderr]).toEqual([
    2,
    expect.stringContaining('cannot patch resource "registrycredentials"'),
  ])
  await expectNothing(name)
})

test('a failure between the two writes is told, and the same command goes on from there', async () => {
  const proxy = await startHttpProxy(configOf())
  try {
    const isLast = (method: string, url: URL) =>
      method === 'PATCH' && url.pathname.includes('registrycredentials') && !url.searchParams.has('dryRun')
    proxy.interfere = first(1, isLast, (response) => response.destroy())
    const cluster = { name: 'proxy', cluster: { server: proxy.url, 'insecure-skip-tls-verify': true } }
    const contexts = [{ name: 'proxy', context: { cluster: 'proxy', user: 'nobody' } }]
    const users = [{ name: 'nobody', user: {} }]
    const kubeconfig = join(folder(), 'kubeconfig')
    writeFileSync(kubeconfig, JSON.stringify({ clusters: [cluster], contexts, users, 'current-context': 'proxy' }))
    const name = nameFor('cut')
    const run = () => regcred(['create', name, ...byStdin, '--include', 'shop'], { input: password, kubeconfig })
    const cut = await run()
    expect([cut.code, cut.stdout]).toEqual([2, ''])
    expect(cut.stderr).toContain(
      `Secret ${operatorNamespace}/${name} has been written, RegistryCredential ${name} has not; the same command again goes on\n`,
    )
    expect(await credentialOf(name)).toBeNull()
    expect(await run()).toMatchObject({ code: 0, stderr: '' })
    expect(await credentialOf(name)).not.toBeNull()
  } finally {
    await proxy.close()
  }
})

test('who may write both needs no more rights than that', async () => {
  const namespaces = { [operatorNamespace]: [secretsRight('create', 'patch')] }
  const kubeconfig = await userWith({ cluster: [credentialsRight('get', 'create', 'patch')], namespaces })
  const name = nameFor('least')
  const { code, stderr } = await regcred(['create', name, ...byStdin, '--include', 'shop'], {
    input: password,
    kubeconfig,
  })
  expect([code, stderr]).toEqual([0, ''])
})

test("somebody else's Secret stays as it is, unless --overwrite is given", async () => {
  const name = await lab.source('foreign', { 'ghcr.io': { username: 'other', password: 'of-somebody-else' } })
  made.push(name)
  const refused = await create(name, ...byStdin, '--include', 'shop')
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(
    /is there already, and not made here .*--overwrite replaces it, --from-secret .* uses it as it is/,
  )
  expect(loginsOf((await sourceOf(name)) as Secret)).toEqual({
    'ghcr.io': { username: 'other', password: 'of-somebody-else' },
  })
  expect(await credentialOf(name)).toBeNull()

  const { stdout } = await create(name, ...byStdin, '--include', 'shop', '--overwrite')
  expect(stdout).toBe(`secret/${name} configured\nregistrycredential.regcred.dev/${name} created\n`)
  expect(loginsOf((await sourceOf(name)) as Secret)).toEqual({ [hub]: { username: 'acme', password } })
})

test('a Secret of another type cannot be replaced, which is told with what can be done', async () => {
  const name = nameFor('opaque')
  const path = `/api/v1/namespaces/${operatorNamespace}/secrets`
  await lab.create(path, { metadata: { name }, stringData: { of: 'somebody else' } })
  expect((await create(name, ...byStdin)).stderr).toContain('is there already, and not made here')
  const { code, stderr } = await create(name, ...byStdin, '--overwrite')
  expect([code, stderr]).toEqual([2, expect.stringContaining('immutable or of another type; delete it, or')])
  expect(await credentialOf(name)).toBeNull()
})

test('a credential that is there is not replaced by chance; with --overwrite what is left out goes', async () => {
  const name = nameFor('again')
  await create(name, ...byStdin, '--include', 'shop', '--exclude', 'web')
  const again = await create(name, ...byStdin, '--include', 'shop')
  expect([again.code, again.stderr]).toEqual([
    2,
    `error: RegistryCredential ${name} is there already; --overwrite replaces it\n`,
  ])
  const { code, stdout } = await create(name, ...byStdin, '--include', 'web', '--overwrite')
  expect([code, stdout]).toEqual([0, `secret/${name} configured\nregistrycredential.regcred.dev/${name} configured\n`])
  expect((await credentialOf(name))?.spec.namespaces).toEqual({ include: ['web'], optIn: true })
})

test.each([
  [['--include', 'shop'], 'the login is given by one of'],
  [[...byStdin, '--from-secret', 'a/b'], 'the login is given by one of'],
  [['--password-stdin'], '--docker-username is missing'],
  [['--docker-username', 'acme'], 'the password is missing; --password-stdin reads it'],
  [[...byStdin, '--docker-password', 'x'], 'exclude each other'],
  [['--from-secret', 'regcred'], 'is not of the form NAMESPACE/NAME'],
  [['--from-secret', 'a/b?c'], 'is not of the form NAMESPACE/NAME'],
  [['--from-secret', 'default/not-there'], 'secrets "not-there" not found'],
  [['--from-docker-config', '/nonexistent'], '/nonexistent cannot be read (ENOENT)'],
  [[...byStdin, '--docker-server', 'oci://ghcr.io'], 'what --docker-server gives has a scheme other than https://'],
  [[...byStdin, '--selector', 'a in b'], '--selector: "a in b" is no label selector'],
  [['--from-docker-config', '/dev/null', '--registries', ''], "argument '' is invalid. It names nothing."],
  [[...byStdin, '--include', ' , '], 'It names nothing.'],
  [[...byStdin, '--dry-run=maybe'], 'Allowed choices are none, client, server'],
  [[...byStdin, '--operator-namespace', 'not-there'], 'namespaces "not-there" not found'],
])('%j is refused with a reason', async (args, said) => {
  const name = nameFor('refused')
  const { code, stdout, stderr } = await create(name, ...args)
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(said)])
  await expectNothing(name)
})

test('what is no name of an object never gets into a path', async () => {
  for (const args of [['a/b'], ['A'], ['x', '-n', '../x'], ['x', '--operator-namespace', 'a?b']]) {
    const { code, stderr } = await regcred(['create', ...args, ...byStdin], { input: password })
    expect([code, stderr]).toEqual([2, expect.stringContaining('It is not a name in Kubernetes')])
  }
})

test("a name of the operator's own Secrets, and an empty password", async () => {
  expect((await create('regcred-operator-key', ...byStdin)).stderr).toContain("the operator's own Secrets")
  const own = await create(nameFor('own-key'), '--from-secret', `${operatorNamespace}/regcred-operator-key`)
  expect([own.code, own.stderr]).toEqual([2, expect.stringContaining("the operator's own Secrets")])
  const empty = await regcred(['create', nameFor('empty'), ...byStdin], { input: '\n' })
  expect([empty.code, empty.stderr]).toEqual([2, 'error: --password-stdin: there was no password on standard input\n'])
})

test('what is not UTF-8 is refused, and not stored as something else', async () => {
  const password = Buffer.from('caf\u00e9', 'latin1')
  const name = nameFor('latin1')
  const { code, stdout, stderr } = await regcred(['create', name, ...byStdin], { input: password })
  expect([code, stdout, stderr]).toEqual([2, '', 'error: --password-stdin: the password is not text in UTF-8\n'])
  const file = join(folder(), 'config.json')
  const [before, after] = ['{"auths":{"ghcr.io":{"username":"u","password":"', '"}}}'].map((text) => Buffer.from(text))
  writeFileSync(file, Buffer.concat([before as Buffer, password, after as Buffer]))
  expect((await create(name, '--from-docker-config', file)).stderr).toBe(`error: ${file} is not text in UTF-8\n`)
})

test('the login is printed by nothing but -o: not when it is refused, nor when the source is garbage', async () => {
  const garbage = join(folder(), 'config.json')
  writeFileSync(garbage, `{"auths": {"ghcr.io": {"username": "u", "password": ${JSON.stringify(password)}`)
  const stray = join(folder(), 'config.json')
  writeFileSync(
    stray,
    JSON.stringify({
      auths: { [`https://u:${password}@ghcr.io`]: { auth: Buffer.from(password).toString('base64') } },
    }),
  )
  const name = nameFor('leak')
  const outcomes = [
    await create(name, ...byStdin, '--include', 'shop'),
    await create(name, ...byStdin, '--include', 'shop'),
    await create(name, ...byStdin, '--include', 'Team_*', '--overwrite'),
    await create(name, ...byStdin, '--dry-run=server', '--overwrite'),
    await create(name, '--from-docker-config', garbage),
    await create(name, '--from-docker-config', stray),
    await create(name, '--docker-username', 'u', '--docker-password', 'x', '--docker-server', password),
    await regcred(['create', name, ...byStdin], { input: `${password}\nand more` }),
    await create(name, `--docker-passwrod=${password}`),
    await create(name, '--docker-username', 'u', `-p${password}`),
  ]
  const places = Object.fromEntries(outcomes.map(({ stdout, stderr }, index) => [`outcome ${index}`, stdout + stderr]))
  expect(leaksIn(places, { password })).toEqual([])
  expect(outcomes.map(({ code }) => code)).toEqual([0, 2, 2, 0, 2, 2, 2, 2, 2, 2])
})
