/**
 * Logins that people bring, in Secrets and in files, with registries that quote what they are shown: a whole life at log
 * level debug, searched in all places for every value in every form.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, operatorNamespace, secretPath } from '../controller/lab.ts'
import { type IssuerAnswer, type IssuerRequest, type IssuerServer, startIssuer } from '../sources/issuer-server.ts'
import { leaksIn, newCanary, type Secrets } from '../support/canary.ts'
import { Disk, leftInCluster, ownSecrets, shownBy } from './leaks-places.ts'

const root = mkdtempSync(join(tmpdir(), 'regcred-test-'))
const servers: IssuerServer[] = []
const base64 = (text: string) => Buffer.from(text).toString('base64')
const newLogin = (): Login => ({ username: 'robot-of-leaks', password: newCanary() })

let lab: Lab
let operator: RunningOperator
let disk: Disk
let filesDir: string

beforeAll(async () => {
  lab = new Lab()
  disk = new Disk(join(root, 'home'))
  filesDir = join(root, 'files')
  for (const each of [disk.env.HOME, filesDir]) mkdirSync(each)
  operator = await startOperator({ args: ['--log-level=debug', `--files-dir=${filesDir}`], env: disk.env })
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  expect(await operator.stop()).toBe(0)
  await lab.close()
  await Promise.all(servers.map((server) => server.stop()))
  rmSync(root, { recursive: true })
})

/** By name, also together with the user. */
function secretsIn(logins: Record<string, Login>): Secrets {
  const named = Object.entries(logins).flatMap(([name, { username, password }]) => [
    [name, password],
    [`${name} with its user`, `${username}:${password}`],
  ])
  return Object.fromEntries(named)
}

async function expectNowhere(logins: Record<string, Login>, namespaces: string[], credentials: string[]) {
  await eventually(async () => {
    for (const each of credentials) expect(await lab.events(each)).not.toEqual([])
  })
  const shown = await shownBy(operator)
  const places = { ...shown, ...(await leftInCluster(lab, namespaces)), ...disk.written(), log: operator.logs() }
  for (const credential of credentials) {
    for (const place of ['log', 'the Events', 'the credentials'] as const) {
      expect(places[place as keyof typeof places]).toContain(credential) // there is something to search in
    }
  }
  expect(leaksIn(places, { ...secretsIn(logins), ...(await ownSecrets(operator, lab)) })).toEqual([])
  expect(disk.left()).toEqual([])
}

test('nothing that the operator says, writes or shows holds a password of a Secret, good or bad', async () => {
  const [first, second, drifted, broken] = [newLogin(), newLogin(), newLogin(), newLogin()]
  const { username, password } = broken
  const namespace = await lab.namespace('leaks')
  const foreign = await lab.namespace('leaks-foreign')
  const auths = (login: Login) => ({ 'ghcr.io': login })
  await lab.create(`/api/v1/namespaces/${foreign}/secrets`, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'regcred' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': base64(JSON.stringify({ auths: auths(first) })) },
  })
  const source = await lab.source('leaks', auths(first))
  const credential = await lab.credential('leaks', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace, foreign], optIn: true },
  })
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(auths(first)))
  await lab.rotate(source, auths(second))
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(auths(second)))
  await lab.patch(secretPath(namespace), {
    stringData: { '.dockerconfigjson': JSON.stringify({ auths: auths(drifted) }) },
  })
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(auths(second)))
  // Sources that are no docker config any more, though they still hold a password.
  for (const text of [
    JSON.stringify(auths(broken)),
    JSON.stringify({ auths: { 'ghcr.io': { auth: base64(password) } } }),
    JSON.stringify({ auths: { [`https://${username}:${encodeURIComponent(password)}@ghcr.io`]: broken } }),
    JSON.stringify({ auths: { 'ghcr.io': `${username}:${password}` } }),
  ]) {
    await lab.patch(secretPath(operatorNamespace, source), { data: { '.dockerconfigjson': base64(text) } })
    await lab.condition(credential, 'Stalled', 'True')
  }
  await expectNowhere({ first, second, drifted, broken }, [namespace, foreign], [credential])
})

test('nor a password of a file, good or bad', async () => {
  const [good, bad] = [newLogin(), newLogin()]
  const namespace = await lab.namespace('leaks-files')
  const name = lab.unique('login')
  const write = (file: string, text: string) => writeFileSync(join(filesDir, name, file), text)
  mkdirSync(join(filesDir, name))
  write('config.json', JSON.stringify({ auths: { 'ghcr.io': good } }))
  const credential = await lab.credential('leaks-files', {
    source: { files: { name } },
    namespaces: { include: [namespace], optIn: true },
  })
  await eventually(async () => expect(await lab.logins(namespace)).toEqual({ 'ghcr.io': good }))
  write('config.json', `{"auths":{"ghcr.io":{"username":"${bad.username}","password":${JSON.stringify(bad.password)}`)
  await lab.condition(credential, 'Stalled', 'True')
  await expectNowhere({ good, bad }, [namespace], [credential])
})

/** A registry that refuses, and quotes all that it was shown. @param token is given for a login, and refused then */
function quoting({ path, headers }: IssuerRequest, token: string | undefined): IssuerAnswer {
  const { authorization = '', host } = headers
  const login = Buffer.from(authorization.split(' ').at(-1) ?? '', 'base64').toString()
  if (path === '/token' && token !== undefined && authorization !== '') return { body: { token } }
  const all = `${authorization} ${login}`
  const error = Buffer.from(all).toString('base64')
  const challenge = `Bearer realm="http://${host}/token",service="${encodeURIComponent(all)}",error="${error}"`
  const errors = [{ code: all, message: all, detail: { login } }]
  return { status: 401, headers: { 'www-authenticate': challenge }, body: { errors, message: all, details: all } }
}

test('nor a login that a registry quotes in its refusal, or a token of it; and no other registry is sent it', async () => {
  const token = newLogin()
  const logins: Record<string, Login> = { refused: newLogin(), 'refused with its token': newLogin() }
  const registries: Record<string, IssuerServer> = {
    refused: await startIssuer((request) => quoting(request, undefined)),
    'refused with its token': await startIssuer((request) => quoting(request, token.password.replace(/[^\w]/g, ''))),
  }
  servers.push(...Object.values(registries))
  const shortToken = { ...token, password: token.password.replace(/[^\w]/g, '') }
  const namespace = await lab.namespace('leaks-registry')
  const credentials: string[] = []
  for (const [n, [name, { url }]] of Object.entries(registries).entries()) {
    const { host } = new URL(url)
    const source = await lab.source(`leaks-registry-${n}`, { [host]: logins[name] as Login })
    const credential = await lab.credential(`leaks-registry-${n}`, {
      source: { secretRef: { name: source } },
      namespaces: { include: [namespace], optIn: true },
      verify: { policy: 'Enforce', image: `${host}/team/app:1` },
    })
    await eventually(async () =>
      expect((await lab.readCredential(credential)).status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'Verified' }),
      ),
    )
    credentials.push(credential)
  }
  await expectNowhere({ ...logins, token, shortToken }, [namespace], credentials)
  for (const [name, { requests }] of Object.entries(registries)) {
    const sent = JSON.stringify(requests.map(({ path, query, headers, body }) => [path, [...query], headers, body]))
    const found = leaksIn({ [name]: sent }, secretsIn(logins)).map((leak) => leak.split(' in ')[0])
    expect(found).not.toEqual([]) // its own, as a password and with the user
    expect(found.filter((each) => each !== name && each !== `${name} with its user`)).toEqual([])
    expect(leaksIn({ [name]: sent }, await ownSecrets(operator, lab))).toEqual([])
  }
})
