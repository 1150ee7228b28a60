/** What is read of mounted files, from where, and that it is always one version of them. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { filesVersion } from '../../src/sources/files-version.ts'
import { issue, type Material } from '../../src/sources/sources.ts'
import { scripts, temporaryFolders } from '../cluster/temporary.ts'
import { SourceLab } from './lab.ts'
import { swapFiles } from './volume.ts'

const script = scripts()
const temporary = temporaryFolders()
const never = new AbortController().signal
const secret = 'example-password'
const login = { username: 'puller', password: secret }
const config = JSON.stringify({ auths: { 'ghcr.io': login } })
const given = new Map([['ghcr.io', login]])

let lab: SourceLab
/** The installation's folder, and the one of the credential in it. */
let filesDir: string
let hub: string

beforeAll(async () => {
  lab = await SourceLab.open()
})

beforeEach(() => {
  filesDir = join(temporary(), 'files')
  hub = join(filesDir, 'hub')
  mkdirSync(hub, { recursive: true })
})

async function read(registries?: readonly string[], signal = never): Promise<Material> {
  return await issue({ files: { name: 'hub' } }, lab.context({ settings: { filesDir }, registries }), signal)
}

async function failure(): Promise<Error> {
  return await read().then(
    () => new Error('it gave a login'),
    (error: Error) => error,
  )
}

function write(texts: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(hub, name), text)
}

describe('a folder gives', () => {
  test.each([
    ['.dockerconfigjson', config],
    ['config.json', config],
    ['.dockercfg', JSON.stringify({ 'ghcr.io': login })],
  ])('the entries of its %s', async (name, text) => {
    write({ [name]: text })
    expect((await read()).entries).toEqual(given)
    expect(lab.concealed).toContain(secret)
  })

  test('a user name and a password for the registries of the credential, without the line breaks of an editor', async () => {
    write({ username: 'puller\n', password: `${secret}\r\n` })
    expect((await read(['ghcr.io'])).entries).toEqual(given)
    expect(lab.concealed).toContain(secret)
    await expect(read()).rejects.toMatchObject({ reason: 'RegistriesRequired' })
  })

  test('what it has had since the last of its files was written', async () => {
    write({ username: 'puller', password: secret })
    utimesSync(join(hub, 'username'), 1_000_000, 1_000_000)
    utimesSync(join(hub, 'password'), 2_000_000, 2_000_000)
    expect((await read(['ghcr.io'])).issuedAt).toEqual(new Date(2_000_000_000))
  })

  test('what a volume of the kubelet holds', async () => {
    swapFiles(hub, { '.dockerconfigjson': config, other: 'not looked at' })
    expect((await read()).entries).toEqual(given)
  })

  test('what it holds as a folder in a volume of the kubelet', async () => {
    rmSync(hub, { recursive: true })
    swapFiles(filesDir, { 'hub/config.json': config })
    expect((await read()).entries).toEqual(given)
  })

  test('a file that a link within the folder of the installation leads to', async () => {
    mkdirSync(join(filesDir, 'shared'))
    writeFileSync(join(filesDir, 'shared', 'any'), config)
    symlinkSync('../shared/any', join(hub, 'config.json'))
    expect((await read()).entries).toEqual(given)
  })
})

describe('a folder is refused when', () => {
  const other = JSON.stringify({ auths: {} })
  test.each<[string, () => void, string, string]>([
    [
      'it is not there',
      () => rmSync(hub, { recursive: true }),
      'SourceNotFound',
      'Folder hub of --files-dir does not exist; mount it there.',
    ],
    ['it is a file', () => asFile(), 'SourceNotFound', 'Folder hub of --files-dir has none of'],
    [
      'the folder of the installation is not there',
      () => rmSync(filesDir, { recursive: true }),
      'SourceNotFound',
      'does not exist',
    ],
    [
      'it is empty',
      () => {},
      'SourceNotFound',
      'has none of .dockerconfigjson, config.json, .dockercfg, and not both username and password',
    ],
    [
      'it has a user name alone',
      () => write({ username: secret }),
      'SourceNotFound',
      'and not both username and password',
    ],
    [
      'it has two configs',
      () => write({ '.dockerconfigjson': config, 'config.json': other }),
      'SourceInvalid',
      'holds .dockerconfigjson, config.json; leave one docker config, or username and password.',
    ],
    [
      'it has a config and a user name',
      () => write({ 'config.json': config, username: secret }),
      'SourceInvalid',
      'holds config.json, username; leave one',
    ],
    [
      'its config is no JSON',
      () => write({ 'config.json': `{"${secret}"` }),
      'SourceInvalid',
      'config.json cannot be read: invalid JSON',
    ],
    [
      'its config has no entries',
      () => write({ 'config.json': other }),
      'SourceInvalid',
      'config.json has no entries under auths',
    ],
    [
      'a file is no text',
      () => write({ 'config.json': Buffer.from([0xff, 0xfe]) }),
      'SourceInvalid',
      'File hub/config.json in --files-dir is not UTF-8 text.',
    ],
    [
      'a file is too large',
      () => write({ 'config.json': Buffer.alloc(1024 * 1024 + 1, ' ') }),
      'SourceInvalid',
      'has more than 1 MiB',
    ],
    ['a file is a folder', () => mkdirSync(join(hub, 'config.json')), 'SourceInvalid', 'is no regular file'],
    [
      'a file is a pipe',
      () => void execFileSync('mkfifo', [join(hub, 'config.json')]),
      'SourceInvalid',
      'is no regular file',
    ],
    [
      'a file is a link to itself',
      () => symlinkSync('config.json', join(hub, 'config.json')),
      'SourceInvalid',
      'cannot be read (ELOOP)',
    ],
  ])('%s', async (_, prepare, reason, says) => {
    prepare()
    const problem = await failure()
    expect(problem).toMatchObject({ name: 'SourceProblem', reason, message: expect.stringContaining(says) })
    expect(inspect(problem, { depth: 10 })).not.toContain(secret)
  })

  function asFile(): void {
    rmSync(hub, { recursive: true })
    writeFileSync(hub, config)
  }

  test('the installation sets no folder', async () => {
    await expect(issue({ files: { name: 'hub' } }, lab.context(), never)).rejects.toMatchObject({
      reason: 'SourceInvalid',
      message: 'The installation sets no --files-dir, so no files may be read; have it set.',
    })
  })

  test('the operator is to stop', async () => {
    write({ 'config.json': config })
    await expect(read(undefined, AbortSignal.abort(new Error('over')))).rejects.toThrow('over')
  })
})

describe('nothing is read from outside of the folder of the installation, where', () => {
  /** A login that the operator may read and must not give. */
  let outside: string

  beforeEach(() => {
    outside = `${filesDir}-outside`
    mkdirSync(outside)
    for (const [name, text] of Object.entries({ 'config.json': config, password: secret, username: 'puller' })) {
      writeFileSync(join(outside, name), text)
    }
  })

  test.each<[string, () => void]>([
    ['a file is a link out of it', () => symlinkSync(join(outside, 'config.json'), join(hub, 'config.json'))],
    [
      'a file is a relative link out of it',
      () => symlinkSync(`../../${basename(outside)}/config.json`, join(hub, 'config.json')),
    ],
    ['..data leads out of it', () => symlinkSync(outside, join(hub, '..data'))],
    ['a file in ..data leads out of it', () => dataWithLink()],
    ['the folder is a link out of it', () => linkFolder(outside)],
    ['the folder is the one of the installation', () => linkFolder('.')],
    ['a part of a login is a link out of it', () => symlinkSync(join(outside, 'password'), join(hub, 'password'))],
  ])('%s', async (_, prepare) => {
    prepare()
    const problem = await failure()
    expect(problem).toMatchObject({ reason: 'SourceInvalid', message: expect.stringContaining('is a link out of') })
    expect(problem.message).not.toContain(outside)
  })

  // macOS does not tell where an open file is.
  const testOnLinux = process.platform === 'linux' ? test : test.skip
  testOnLinux('a folder on the way becomes a link out of it and back all the time (on Linux)', async () => {
    mkdirSync(join(hub, 'way'))
    writeFileSync(join(hub, 'way', 'config.json'), config)
    symlinkSync('way/config.json', join(hub, 'config.json'))
    symlinkSync(outside, join(hub, 'out'))
    writeFileSync(join(outside, 'config.json'), config.replace('puller', 'outsider'))
    const swaps = [
      ['way', 'kept'],
      ['out', 'way'],
      ['way', 'out'],
      ['kept', 'way'],
    ]
    const swapping = script(`
      import { renameSync } from 'node:fs'
      process.chdir(${JSON.stringify(hub)})
      console.log('swapping')
      for (;;) for (const [from, to] of ${JSON.stringify(swaps)}) renameSync(from, to)
    `)
    await swapping.firstLine
    const users = new Set<string>()
    for (let reads = 0; reads < 3_000; reads++) {
      const entries = await read().then(
        (material) => [...material.entries.values()],
        () => [],
      )
      for (const { username } of entries) users.add(username)
    }
    expect([...users]).toEqual(['puller'])
  })

  function linkFolder(target: string): void {
    rmSync(hub, { recursive: true })
    symlinkSync(target, hub)
    writeFileSync(join(filesDir, 'config.json'), config)
  }

  function dataWithLink(): void {
    mkdirSync(join(hub, '..1'))
    symlinkSync('..1', join(hub, '..data'))
    symlinkSync(join(outside, 'config.json'), join(hub, '..1', 'config.json'))
  }
})

test('readers never see a mix of two versions, in 200 swaps or more', async () => {
  const version = (number: number) => ({ username: `puller-${number}`, password: `password-${number}` })
  swapFiles(hub, version(0))
  let swaps = 0
  const seen = new Set<string>()
  const isGoingOn = () => swaps < 200 || seen.size <= 20 // on a busy machine readers meet few of them
  const reader = async () => {
    while (isGoingOn()) {
      const [entry] = await read(['ghcr.io']).then(({ entries }) => [...entries.values()], keepsChanging)
      if (entry === undefined) continue
      expect(entry.password).toBe(entry.username.replace('puller', 'password'))
      seen.add(entry.username)
    }
  }
  const writer = async () => {
    while (isGoingOn()) {
      swapFiles(hub, version(++swaps))
      // So that swaps fall in the middle of reads, wherever.
      for (let turn = 0; turn < (swaps % 20) * 2; turn++) await setImmediate()
    }
  }
  await Promise.all([writer(), reader(), reader(), reader()])

  function keepsChanging(problem: unknown): [] {
    expect(problem).toMatchObject({ reason: 'IssuerUnavailable' })
    return []
  }
})

describe('the version of the files', () => {
  test.each<[string, () => void]>([
    ['a swap to the same content', () => swapFiles(hub, { 'config.json': config })],
    ['a file that comes', () => swapFiles(hub, { 'config.json': config, username: 'a' })],
    ['a file that goes', () => swapFiles(hub, {})],
    ['the end of the folder', () => rmSync(hub, { recursive: true })],
    ['a file that is replaced', () => replaced()],
    ['a file that is written in place', () => writeFileSync(join(hub, 'config.json'), config.replaceAll('a', 'b'))],
    ['a file whose times are set back', () => setBack()],
    ['a file that may not be read any more', () => chmodSync(join(hub, 'config.json'), 0)],
  ])('changes with %s', (_, change) => {
    swapFiles(hub, { 'config.json': config })
    const before = filesVersion(filesDir, 'hub')
    expect(filesVersion(filesDir, 'hub')).toBe(before)
    change()
    expect(filesVersion(filesDir, 'hub')).not.toBe(before)
  })

  function replaced(): void {
    writeFileSync(join(hub, 'new'), config)
    renameSync(join(hub, 'new'), join(hub, '..data', 'config.json'))
  }

  function setBack(): void {
    const file = join(hub, 'config.json')
    const { atime, mtime } = statSync(file)
    writeFileSync(file, config.replaceAll('a', 'b'))
    utimesSync(file, atime, mtime)
  }

  test('does not change with files that are not looked at', () => {
    write({ 'config.json': config })
    const before = filesVersion(filesDir, 'hub')
    write({ 'README.md': 'hello' })
    expect(filesVersion(filesDir, 'hub')).toBe(before)
  })

  test('holds nothing of the content', () => {
    write({ 'config.json': config, password: secret })
    expect(filesVersion(filesDir, 'hub')).not.toContain(secret)
  })

  test('is absent where there is no folder', () => {
    expect(filesVersion(filesDir, 'missing')).toBe('absent')
    expect(filesVersion(join(filesDir, 'missing'), 'hub')).toBe('absent')
  })
})
