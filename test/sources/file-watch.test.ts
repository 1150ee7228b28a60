/** What is told of changes to mounted files, on a real file system. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { watchFiles } from '../../src/sources/file-watch.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { swapFiles } from './volume.ts'

const temporary = temporaryFolders()
/** No look at all but for what the file system tells. */
const never = 2 ** 31 - 1

let dir: string
let hub: string
let told: string[]
let stopping: AbortController

beforeEach(() => {
  dir = join(temporary(), 'files')
  hub = join(dir, 'hub')
  told = []
  stopping = new AbortController()
})

afterEach(() => stopping.abort())

function start(everyMs = never): void {
  watchFiles(dir, (name) => told.push(name), stopping.signal, everyMs)
}

/** Waits for word of the folder, and forgets what was told. */
async function expectTold(name: string): Promise<void> {
  await eventually(() => told.includes(name), { describe: `word of ${name}` })
  expect(new Set(told)).toEqual(new Set([name]))
  await quiet()
}

/** Waits until all that was done has been told. */
async function quiet(): Promise<void> {
  do {
    told = []
    await sleep(300)
  } while (told.length > 0)
}

describe('the folder is named when', () => {
  beforeEach(() => {
    swapFiles(hub, { 'config.json': 'a' })
    swapFiles(join(dir, 'other'), { 'config.json': 'a' })
  })

  test('the kubelet swaps its files, time and again', async () => {
    start()
    for (const text of ['b', 'c', 'd']) {
      swapFiles(hub, { 'config.json': text })
      await expectTold('hub')
    }
  })

  test('it comes, goes, and comes back, and each time its files change', async () => {
    start()
    const late = join(dir, 'late')
    for (const text of ['a', 'b']) {
      swapFiles(late, { 'config.json': text })
      await expectTold('late')
      swapFiles(late, { 'config.json': `${text}${text}` })
      await expectTold('late')
      rmSync(late, { recursive: true })
      await expectTold('late')
    }
  })

  test('another one is put in its place', async () => {
    start()
    swapFiles(`${dir}-new`, { 'config.json': 'b' })
    renameSync(hub, `${dir}-old`)
    renameSync(`${dir}-new`, hub)
    await expectTold('hub')
    swapFiles(hub, { 'config.json': 'c' })
    await expectTold('hub')
  })

  test('a file in it is written in place, replaced, or taken away', async () => {
    const plain = join(dir, 'plain')
    const file = join(plain, 'config.json')
    mkdirSync(plain)
    writeFileSync(file, 'a')
    start()
    writeFileSync(file, 'bb')
    await expectTold('plain')
    writeFileSync(join(plain, 'new'), 'ccc')
    renameSync(join(plain, 'new'), file)
    await expectTold('plain')
    rmSync(file)
    await expectTold('plain')
    writeFileSync(file, 'a')
    await expectTold('plain')
  })

  test('a file in it is there in part only', async () => {
    const plain = join(dir, 'plain')
    mkdirSync(plain)
    start()
    writeFileSync(join(plain, 'username'), 'a')
    await expectTold('plain')
    writeFileSync(join(plain, 'password'), 'a')
    await expectTold('plain')
  })

  test('a volume of the kubelet holds the folders of several credentials', async () => {
    rmSync(dir, { recursive: true })
    swapFiles(dir, { 'hub/config.json': 'a' })
    start()
    swapFiles(dir, { 'hub/config.json': 'b' })
    await expectTold('hub')
    swapFiles(dir, { 'hub/config.json': 'c' })
    await expectTold('hub')
  })
})

test('nothing is told of files that are not looked at', async () => {
  mkdirSync(hub, { recursive: true })
  writeFileSync(join(hub, 'config.json'), 'a')
  start()
  writeFileSync(join(hub, 'README.md'), 'hello')
  await sleep(500)
  expect(told).toEqual([])
  writeFileSync(join(hub, 'config.json'), 'bb')
  await expectTold('hub')
})

describe('where the file system tells nothing', () => {
  test('a folder of the installation that is not there yet is found, and watched from then on', async () => {
    start(50)
    swapFiles(hub, { 'config.json': 'a' })
    await expectTold('hub')
    swapFiles(hub, { 'config.json': 'b' })
    await expectTold('hub')
  })

  test('a file behind a link is looked at now and then', async () => {
    const elsewhere = join(dir, '..', 'elsewhere')
    mkdirSync(hub, { recursive: true })
    mkdirSync(elsewhere)
    writeFileSync(join(elsewhere, 'config.json'), 'a')
    symlinkSync(join(elsewhere, 'config.json'), join(hub, 'config.json'))
    start(50)
    writeFileSync(join(elsewhere, 'config.json'), 'bb')
    await expectTold('hub')
  })
})

test('nothing is told any more when it is ended', async () => {
  swapFiles(hub, { 'config.json': 'a' })
  start(20)
  stopping.abort()
  swapFiles(hub, { 'config.json': 'b' })
  await sleep(500)
  expect(told).toEqual([])
})
