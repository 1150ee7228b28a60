/** Plugins as the kubelet and docker know them, good ones and bad ones. */
import { chmodSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { SourceSettings, SpecOf } from '../../src/sources/source.ts'
import { issue, type Material } from '../../src/sources/sources.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { ecrCredentialProviderPath } from '../parts/ecr-credential-provider.ts'
import { startMoto } from '../parts/moto.ts'
import { testWith } from '../parts/skip.ts'
import { SourceLab } from './lab.ts'
import { answer, print, writePlugin } from './plugins.ts'

type Spec = SpecOf<'exec'>

const folder = temporaryFolders()
const never = new AbortController().signal
const login = { username: 'puller', password: 'example-password' }

let lab: SourceLab
/** The folder with the plugins, and what one of them has recorded there. */
let dir: string

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.serviceAccount('puller', { 'example.com/role': 'reader' })
})

beforeEach(() => {
  dir = join(folder(), 'plugins')
  mkdirSync(dir)
  lab.concealed.clear()
})

async function ask(spec: Partial<Spec>, settings: Partial<SourceSettings> = { execPluginDir: dir }): Promise<Material> {
  const exec: Spec = { plugin: 'p', protocol: 'KubeletCredentialProvider', for: ['ghcr.io/acme/app'], ...spec }
  return await issue({ exec }, lab.context({ settings }), never)
}

/** A line of `sh` that keeps what the plugin is asked, one line a question. */
const record = () => `cat >> ${dir}/asked; echo >> ${dir}/asked`

function asked(): string[] {
  return readFileSync(join(dir, 'asked'), 'utf8').trim().split('\n')
}

describe('a credential provider of the kubelet', () => {
  test('is asked about an image, with its arguments, and its logins are taken', async () => {
    writePlugin(dir, 'p', record(), `echo "$*" > ${dir}/args`, answer({ 'GHCR.io': login, '*.example.com': login }))
    const { entries } = await ask({ args: ['--v=2', '$(id)'] })
    expect(entries).toEqual(
      new Map([
        ['ghcr.io', login],
        ['*.example.com', login],
      ]),
    )
    expect(readFileSync(join(dir, 'args'), 'utf8')).toBe('--v=2 $(id)\n')
    expect(asked().map((line) => JSON.parse(line))).toEqual([
      {
        apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
        kind: 'CredentialProviderRequest',
        image: 'ghcr.io/acme/app',
      },
    ])
    expect(lab.concealed).toContain(login.password)
  })

  test('gets a token of the ServiceAccount and its annotations', async () => {
    writePlugin(dir, 'p', record(), answer({ 'ghcr.io': login }))
    await ask({ serviceAccountName: 'puller', audience: 'sts.test' })
    const { serviceAccountToken, serviceAccountAnnotations } = JSON.parse(asked()[0] ?? '')
    const [, claims = ''] = serviceAccountToken.split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).aud).toEqual(['sts.test'])
    expect(serviceAccountAnnotations).toEqual({ 'example.com/role': 'reader' })
    expect(lab.concealed).toContain(serviceAccountToken)
  })

  const images = ['a.test/1', 'a.test/2', 'b.test/1']
  test.each([
    ['Image', images],
    ['Registry', ['a.test/1', 'b.test/1']],
    ['Global', ['a.test/1']],
  ])('that answers for %s is asked as often as the kubelet would ask it', async (cacheKeyType, expected) => {
    writePlugin(dir, 'p', record(), answer({ 'a.test': login }, { cacheKeyType }))
    await ask({ for: images })
    expect(asked().map((line) => JSON.parse(line).image)).toEqual(expected)
  })

  test('gives the logins of all images together', async () => {
    const other = { ...login, username: 'other' }
    const lines = ['read -r asked', 'case "$asked" in', `*a.test*) ${answer({ 'a.test': login })};;`]
    writePlugin(dir, 'p', ...lines, `*) ${answer({ 'a.test': login, 'b.test': other })};;`, 'esac')
    const { entries } = await ask({ for: ['a.test/app', 'b.test/app'] })
    expect(entries).toEqual(
      new Map([
        ['a.test', login],
        ['b.test', other],
      ]),
    )
  })

  test('that gives images of one registry logins of their own under the same key is told apart', async () => {
    const line = answer({ 'a.test': { ...login, password: 'PID' } })
    writePlugin(
      dir,
      'p',
      line.replace('PID', () => `'"$$"'`),
    )
    await expect(ask({ for: ['a.test/1', 'a.test/2'] })).rejects.toMatchObject({
      reason: 'IssuerInvalid',
      message: expect.stringContaining('name them in several credentials, each with its own secretName'),
    })
  })

  test.each([
    ['6h0m0s', 21_600_000],
    ['90s', 90_000],
  ])('whose answer may be kept for %s is asked again after that', async (cacheDuration, milliseconds) => {
    writePlugin(dir, 'p', answer({ 'a.test': login }, { cacheDuration }))
    const before = Date.now()
    const { refreshAfter, expiresAt } = await ask({})
    expect(Number(refreshAfter)).toBeGreaterThanOrEqual(before + milliseconds)
    expect(Number(refreshAfter)).toBeLessThanOrEqual(Date.now() + milliseconds)
    expect(expiresAt).toBeUndefined()
  })

  test('is asked again when the first of its answers is due', async () => {
    const keptFor = (cacheDuration: string) => answer({ 'a.test': login }, { cacheDuration })
    const lines = ['read -r asked', 'case "$asked" in', `*one*) ${keptFor('2h')};;`, `*two*) ${keptFor('1h')};;`]
    writePlugin(dir, 'p', ...lines, `*) ${keptFor('3h')};;`, 'esac')
    const { refreshAfter } = await ask({ for: ['a.test/one', 'a.test/two', 'a.test/three'] })
    expect(Number(refreshAfter)).toBeLessThanOrEqual(Date.now() + 3_600_000)
  })

  test.each([[undefined], [null], ['0s'], ['-1h']])(
    'that says %p of time is asked at the interval',
    async (cacheDuration) => {
      writePlugin(dir, 'p', answer({ 'a.test': login }, { cacheDuration }))
      expect(await ask({})).not.toHaveProperty('refreshAfter')
    },
  )

  describe('is not believed when', () => {
    const secret = 'do-not-show-4711'
    const bad = { username: 'puller', password: secret }
    test.each([
      ['it answers nothing', '', 'IssuerInvalid', 'on stdout is no JSON object'],
      ['it answers garbage', print(`{"auth": "${secret}`), 'IssuerInvalid', 'on stdout is no JSON object'],
      ['it answers a list', print(`["${secret}"]`), 'IssuerInvalid', 'on stdout is no JSON object'],
      [
        'it answers bytes that are no text',
        `printf '{"a":"${secret}\\377"}'`,
        'IssuerInvalid',
        'on stdout is no JSON object',
      ],
      [
        'it speaks another version',
        answer({ a: bad }, { apiVersion: 'credentialprovider.kubelet.k8s.io/v1beta1' }),
        'IssuerInvalid',
        'use a version of it that speaks v1',
      ],
      [
        'it answers an object of another kind',
        answer({ a: bad }, { kind: secret }),
        'IssuerInvalid',
        'is no CredentialProviderResponse',
      ],
      [
        'it has no cacheKeyType',
        answer({ a: bad }, { cacheKeyType: undefined }),
        'IssuerInvalid',
        'has a cacheKeyType other than Image, Registry, Global',
      ],
      [
        'it has a cacheDuration that is none',
        answer({ a: bad }, { cacheDuration: secret }),
        'IssuerInvalid',
        'has a cacheDuration that is no duration such as 6h0m0s',
      ],
      ['its auth is a list', answer([bad]), 'IssuerInvalid', 'has an auth that is no object'],
      [
        'a login of it is a text',
        answer({ a: secret }),
        'IssuerInvalid',
        'has a login under auth without the texts username and password',
      ],
      [
        'a password of it is a number',
        answer({ a: { username: secret, password: 1 } }),
        'IssuerInvalid',
        'has a login under auth without the texts username and password',
      ],
      [
        'a login of it is empty',
        answer({ 'a.test': { username: secret } }),
        'SourceInvalid',
        'What source.exec gives cannot be used: entry a.test lacks a username or a password',
      ],
      ['a key of it is none', answer({ 'oci://a.test': bad }), 'SourceInvalid', 'has a scheme other than https://'],
      [
        'it gives null',
        answer(null),
        'IssuerRefused',
        'Plugin p gave no credentials for ghcr.io/acme/app; check its rights and source.exec.for.',
      ],
      ['it gives no login', answer({}), 'IssuerRefused', 'Plugin p gave no credentials for ghcr.io/acme/app'],
      [
        'it fails, whatever it says',
        `${answer({ a: bad })}; echo ${secret} >&2; exit 7`,
        'IssuerUnavailable',
        'Plugin p ended with exit code 7.',
      ],
    ])('%s', async (_, line, reason, says) => {
      writePlugin(dir, 'p', line)
      const problem: unknown = await ask({}).catch((error: unknown) => error)
      expect(problem).toMatchObject({ name: 'SourceProblem', reason, message: expect.stringContaining(says) })
      expect(inspect(problem, { depth: 10 })).not.toContain(secret)
    })
  })

  testWith('moto')('for ECR gets the token of a role for a ServiceAccount', async () => {
    const moto = await startMoto()
    const env = {
      AWS_ENDPOINT_URL: moto.url,
      AWS_REGION: 'eu-central-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    }
    Object.assign(process.env, env)
    const program = ecrCredentialProviderPath()
    const host = '123456789012.dkr.ecr.eu-central-1.amazonaws.com'
    const role = 'arn:aws:iam::210987654321:role/puller'
    await lab.serviceAccount('ecr-puller', { 'eks.amazonaws.com/ecr-role-arn': role })
    const spec = {
      plugin: 'ecr-credential-provider',
      for: [`${host}/team/app`, `${host}/team/other`],
      serviceAccountName: 'ecr-puller',
      audience: 'sts.amazonaws.com',
    }
    const settings = { execPluginDir: join(program, '..'), execPluginEnv: Object.keys(env) }
    try {
      const { entries } = await ask(spec, settings)
      expect(entries).toEqual(new Map([[host, { username: 'AWS', password: '210987654321-auth-token' }]]))
    } finally {
      for (const name of Object.keys(env)) delete process.env[name]
      await moto.stop()
    }
  })
})

describe('a docker-credential helper', () => {
  const protocol = 'DockerCredentialHelper'
  const gives = (body: object) => print(JSON.stringify(body))

  test('is asked for each server, whose login is kept under it', async () => {
    const body = { ServerURL: '', Username: 'puller', Secret: 'example-password' }
    writePlugin(dir, 'p', record(), `echo "$*" >> ${dir}/args`, gives(body))
    const { entries } = await ask({ protocol, for: ['https://index.docker.io/v1/', 'https://GHCR.io'] })
    expect(entries).toEqual(
      new Map([
        ['https://index.docker.io/v1/', login],
        ['ghcr.io', login],
      ]),
    )
    expect(asked()).toEqual(['https://index.docker.io/v1/', 'https://GHCR.io'])
    expect(readFileSync(join(dir, 'args'), 'utf8')).toBe('get\nget\n')
    expect(lab.concealed).toContain(login.password)
  })

  const secret = 'do-not-show-4711'
  test.each([
    [
      'has no login',
      `${print('credentials not found in native keychain')}; echo; exit 1`,
      'IssuerRefused',
      'Plugin p gave no credentials for ghcr.io',
    ],
    ['fails otherwise', `echo ${secret}; exit 1`, 'IssuerUnavailable', 'Plugin p ended with exit code 1.'],
    [
      'has an identity token',
      gives({ Username: '<token>', Secret: secret }),
      'SourceInvalid',
      'has an identity token for ghcr.io, which the kubelet cannot use',
    ],
    ['gives no user name', gives({ Username: '', Secret: secret }), 'IssuerInvalid', 'has no Username'],
    ['gives no secret', gives({ Username: secret }), 'IssuerInvalid', 'has no Secret'],
    [
      'gives a secret with a line break',
      gives({ Username: 'a', Secret: `${secret}\n` }),
      'SourceInvalid',
      'line break or control character',
    ],
    ['gives garbage', print(secret), 'IssuerInvalid', 'on stdout is no JSON object'],
  ])('that %s is not believed', async (_, line, reason, says) => {
    writePlugin(dir, 'p', line)
    const problem: unknown = await ask({ protocol, for: ['ghcr.io'] }).catch((error: unknown) => error)
    expect(problem).toMatchObject({ name: 'SourceProblem', reason, message: expect.stringContaining(says) })
    expect(inspect(problem, { depth: 10 })).not.toContain(secret)
  })
})

describe('the program of a plugin', () => {
  beforeEach(() => {
    writePlugin(dir, 'good', answer({ 'ghcr.io': login }))
  })

  test('may be a link within the folder, as volumes of the kubelet have them', async () => {
    const volume = folder()
    const data = join(volume, '..2026_01_01')
    renameSync(dir, data)
    symlinkSync('..2026_01_01', join(volume, '..data'))
    symlinkSync('..data/good', join(volume, 'p'))
    symlinkSync(volume, dir)
    expect((await ask({})).entries.size).toBe(1)
  })

  test('is not run when the installation sets no folder', async () => {
    await expect(ask({ plugin: 'good' }, {})).rejects.toMatchObject({
      reason: 'SourceInvalid',
      message: 'The installation sets no --exec-plugin-dir, so no plugin may be run; have it set.',
    })
  })

  test.each([
    ['is not there', () => {}, 'SourceNotFound', 'is not in --exec-plugin-dir'],
    ['leads nowhere', () => symlinkSync('nowhere', join(dir, 'p')), 'SourceNotFound', 'is not in --exec-plugin-dir'],
    ['is one of the machine', () => symlinkSync('/bin/sh', join(dir, 'p')), 'SourceInvalid', 'is a link out of'],
    ['is the folder', () => symlinkSync('.', join(dir, 'p')), 'SourceInvalid', 'is a link out of'],
    ['is in a folder whose name goes on', () => linkBeside(), 'SourceInvalid', 'is a link out of'],
    ['is a folder', () => mkdirSync(join(dir, 'p')), 'SourceInvalid', 'is no regular file'],
    ['may be written by everybody', () => withMode(0o777), 'SourceInvalid', 'take that away (chmod o-w)'],
    ['is not executable', () => withMode(0o644), 'SourceInvalid', 'make it so (chmod a+rx)'],
  ])('is not run when it %s', async (_, prepare, reason, says) => {
    prepare()
    await expect(ask({})).rejects.toMatchObject({ reason, message: expect.stringContaining(says) })
  })

  function linkBeside(): void {
    const beside = `${dir}-beside`
    mkdirSync(beside)
    symlinkSync(writePlugin(beside, 'p'), join(dir, 'p'))
  }

  function withMode(mode: number): void {
    chmodSync(writePlugin(dir, 'p', answer({ 'ghcr.io': login })), mode)
  }

  test('that is no program is told so', async () => {
    writeFileSync(join(dir, 'p'), '#!/nowhere/interpreter\n', { mode: 0o755 })
    await expect(ask({})).rejects.toMatchObject({
      reason: 'IssuerUnavailable',
      message: expect.stringContaining('cannot be started (ENOENT)'),
    })
  })
})
