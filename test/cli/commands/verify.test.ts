/** The check of the registry from here, with logins that the user may read, and those that they may not. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../../src/api/registry-credential.ts'
import { credentialsPath } from '../../../src/controller/watches.ts'
import { basic } from '../../../src/registry/registry-client.ts'
import { createAuthority, serverCertificate } from '../../cluster/certificates.ts'
import { temporaryFolders } from '../../cluster/temporary.ts'
import { Lab, operatorNamespace } from '../../controller/lab.ts'
import { pushImage } from '../../parts/push.ts'
import { type Registry, startRegistry } from '../../parts/registry.ts'
import { leaksIn } from '../../support/canary.ts'
import { type Outcome, type RunOptions, regcred } from '../plugin.ts'
import { credentialsRight, secretsRight, userWith } from '../rights.ts'

const folder = temporaryFolders()
const password = 'p4ssword-of-the-robot'
const robot = { username: 'robot', password }
let lab: Lab
let registry: Registry
/** With TLS by a CA of its own. */
let guarded: Registry
const authority = createAuthority('private CA')
const outcomes: Outcome[] = []

beforeAll(async () => {
  lab = new Lab()
  registry = await startRegistry({ auth: { htpasswd: { robot: password } } })
  guarded = await startRegistry({
    auth: { htpasswd: { robot: password } },
    tls: serverCertificate(authority, 'registry'),
  })
  await pushImage(registry.url, 'team/app', '1', { authorization: basic(robot) })
})
afterAll(async () => {
  await lab.close()
  await Promise.all([registry.stop(), guarded.stop()])
})

async function verify(args: string[], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await regcred(['verify', ...args], options)
  outcomes.push(outcome)
  return outcome
}

async function credential(name: string, host: string, login = robot, spec: Partial<RegistryCredentialSpec> = {}) {
  const source = await lab.source(name, { [host]: login })
  return { source, name: await lab.credential(name, { source: { secretRef: { name: source } }, ...spec }) }
}

/** Names that begin differently for each run are left out. */
function lines({ stdout }: Outcome, { host }: Registry): string[] {
  return stdout
    .replaceAll(host, 'HOST')
    .trimEnd()
    .split('\n')
    .map((line) => line.trim())
}

test('each step is shown, and the verdict at the end', async () => {
  const { name, source } = await credential('good', registry.host)
  const outcome = await verify([name])
  expect([outcome.code, outcome.stderr]).toEqual([0, ''])
  expect(lines(outcome, registry)).toEqual([
    `${name}: the login of Secret ${operatorNamespace}/${source}`,
    'HOST',
    expect.stringMatching(/^GET {2}https:\/\/HOST\/v2\/ without a login: no usable answer from HOST/),
    'GET  http://HOST/v2/ without a login: 401, asks for a login by Basic',
    'GET  http://HOST/v2/ with the login: 200',
    'Valid (Accepted): HOST accepts the login for HOST.',
  ])
})

test('--image asks whether it may be pulled, and else verify.image of the credential does', async () => {
  const { name } = await credential('image', registry.host)
  const image = `${registry.host}/team/app:1`
  const outcome = await verify([name, '--image', image])
  expect([outcome.code, ...lines(outcome, registry).slice(-3)]).toEqual([
    0,
    'HEAD http://HOST/v2/team/app/manifests/1 with the login: 200',
    'HEAD http://HOST/v2/team/app/manifests/1 without a login: 401, asks for a login by Basic',
    'Valid (PullAllowed): HOST lets the login for HOST pull HOST/team/app:1.',
  ])
  await lab.patchCredential(name, { verify: { image: `${registry.host}/team/other:1` } })
  const missing = await verify([name])
  expect([missing.code, missing.stdout]).toEqual([2, expect.stringContaining('Unknown (ImageNotFound)')])
  expect(missing.stdout).toContain('correct verify.image')
  const elsewhere = await verify([name, '--image', 'ghcr.io/acme/app'])
  expect([elsewhere.code, elsewhere.stdout]).toEqual([
    2,
    expect.stringContaining('--image names ghcr.io/acme/app, which none'),
  ])
  const wrong = await verify([name, '--image', 'Not An Image'])
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--image: "Not An Image" is not the name')])
})

test('a login that is refused gives exit code 1, also as JSON', async () => {
  const { name } = await credential('bad', registry.host, { username: 'robot', password: `${password}-mistyped` })
  const outcome = await verify([name, '-o', 'json'])
  expect(outcome.code).toBe(1)
  expect(JSON.parse(outcome.stdout)).toEqual([
    {
      credential: name,
      from: expect.stringContaining(`Secret ${operatorNamespace}/`),
      checks: [
        {
          registry: registry.host,
          host: registry.host,
          verdict: 'Invalid',
          reason: 'Refused',
          message: expect.stringContaining('refuses the login'),
          steps: expect.arrayContaining([
            { method: 'GET', url: `http://${registry.host}/v2/`, proof: 'login', answer: 401, asksFor: ['Basic'] },
          ]),
        },
      ],
    },
  ])
})

test('of all credentials only those are asked that are for the image', async () => {
  const { name } = await credential('other', 'registry.example.com:5000')
  const outcome = await verify(['--image', `${registry.host}/team/app:1`])
  expect(outcome.stdout).toContain(`Valid (PullAllowed)`)
  expect(outcome.stdout).not.toContain(name)
  const nobody = await verify(['--image', 'nobody.example.com/app'])
  expect([nobody.code, nobody.stderr]).toEqual([2, 'error: no credential is for nobody.example.com/app\n'])
})

test('a registry with a CA of its own is believed by --ca-file', async () => {
  const { name } = await credential('guarded', guarded.host)
  const untrusted = await verify([name])
  expect([untrusted.code, untrusted.stdout]).toEqual([2, expect.stringContaining('--ca-file')])
  const file = join(folder(), 'ca.pem')
  writeFileSync(file, authority.certificate)
  expect((await verify([name, '--ca-file', file])).code).toBe(0)
})

test('the pull Secret of a namespace is read where it is named, or where there is no source Secret', async () => {
  const namespace = await lab.namespace('pulls')
  const [own, of] = [registry.host, 'another.example.com']
  const auths = { auths: { [own]: robot, [of]: { username: 'u', password: 'p' } } }
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify(auths)).toString('base64') }
  const secret = { metadata: { name: 'regcred' }, type: 'kubernetes.io/dockerconfigjson', data }
  await lab.create(`/api/v1/namespaces/${namespace}/secrets`, secret)
  const source = { ecr: { regions: ['eu-central-1'], secretRef: { name: 'any' } } }
  const name = await lab.credential('pulls', { source })
  await lab.patch(`${credentialsPath}/${name}/status`, { status: { credential: { registries: [own] } } })
  const outcome = await verify([name, '-n', namespace])
  expect([outcome.code, lines(outcome, registry)[0]]).toEqual([0, `${name}: the login of Secret ${namespace}/regcred`])
  expect(outcome.stdout).not.toContain(of)
  const nothing = await verify([name])
  expect([nothing.code, nothing.stderr]).toEqual([
    2,
    `${name}: error: there is no Secret default/regcred; -n names another namespace\n`,
  ])
})

test('who may not read the source is told which right is missing; who may read in a namespace sees that', async () => {
  const { name, source } = await credential('unread', registry.host)
  const namespace = await lab.namespace('unread')
  const kubeconfig = await userWith({
    cluster: [credentialsRight('get')],
    namespaces: { [namespace]: [secretsRight('get')] },
  })
  const refused = await verify([name], { kubeconfig })
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(
    new RegExp(
      `you may not read Secret ${operatorNamespace}/${source} .*cannot get resource "secrets".*with -n the pull Secret`,
    ),
  )
  const there = await verify([name, '-n', namespace], { kubeconfig })
  expect(there.stderr).toContain(`there is no Secret ${namespace}/regcred`)
})

test('a source that cannot be used is told without what is in it', async () => {
  const secret = lab.unique('garbage')
  const data = { '.dockerconfigjson': Buffer.from(`{"auths": {"x": {"auth": "${password}"}}}`).toString('base64') }
  const metadata = { name: secret }
  await lab.create(`/api/v1/namespaces/${operatorNamespace}/secrets`, {
    metadata,
    type: 'kubernetes.io/dockerconfigjson',
    data,
  })
  const name = await lab.credential('garbage', { source: { secretRef: { name: secret } } })
  const { code, stderr } = await verify([name])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining(`Secret ${operatorNamespace}/${secret} cannot be used: entry x in`),
  ])
})

test('in all of that no password was printed, nor anything made of it', () => {
  expect(outcomes.length).toBeGreaterThan(12)
  const places = Object.fromEntries(outcomes.map(({ stdout, stderr }, index) => [`outcome ${index}`, stdout + stderr]))
  const basicAuth = Buffer.from(`robot:${password}`).toString('base64')
  expect(leaksIn(places, { password, basicAuth })).toEqual([])
})
