import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { cacheDir, type Filler, fillCache, type Part } from './cache.ts'
import { missingFrom } from './locate.ts'
import { CONTROL_PLANE, provision } from './provision.ts'
import { scripts, temporaryFolders } from './temporary.ts'
import { APPLETS, type Applet } from './versions.ts'
import { eventually } from './wait.ts'

const folder = temporaryFolders()
const script = scripts()
const silent = (): void => {}
const by = (fillers: Record<string, Filler>): Part => ({ ...CONTROL_PLANE, fillers })
const folderIn = (root: string): string => cacheDir(root, CONTROL_PLANE)

function write(dir: string, applets: readonly Applet[] = APPLETS): void {
  mkdirSync(dir, { recursive: true })
  for (const applet of applets) writeFileSync(join(dir, applet), '', { mode: 0o755 })
}

const succeeds: Filler = async (into) => write(into)
const fails: Filler = async (into) => {
  writeFileSync(join(into, 'etcd'), 'half of it', { mode: 0o755 })
  throw new Error('the cable was cut')
}
const mustNotRun: Filler = () => Promise.reject(new Error('this must not run'))

const partials = (root: string): string[] => readdirSync(root).filter((name) => name.startsWith('.partial-'))

describe('the cache', () => {
  test('what is there is used without any work', async () => {
    const root = folder()
    write(folderIn(root))
    await expect(fillCache(root, by({ mustNotRun }), silent)).resolves.toBe(folderIn(root))
  })

  test('the first filler that can fills it, and the others are told about', async () => {
    const root = folder()
    const said: string[] = []
    const dir = await fillCache(root, by({ download: fails, build: succeeds, mustNotRun }), (line) => said.push(line))
    expect(missingFrom(dir)).toEqual([])
    expect(said[0]).toBe('No download: the cable was cut')
    expect(said[1]).toMatch(/^The control plane is ready \(build, \d+ s\): /)
    expect(partials(root)).toEqual([])
  })

  test('a filler that fails half-way leaves nothing behind', async () => {
    const root = folder()
    await expect(fillCache(root, by({ build: fails }), silent)).rejects.toThrow('the cable was cut')
    expect(existsSync(folderIn(root))).toBe(false)
    expect(partials(root)).toEqual([])
  })

  test('a filler that ends without error but with a part missing is not believed', async () => {
    const root = folder()
    const forgets: Filler = async (into) => write(into, ['etcd', 'kubectl'])
    const filled = fillCache(root, by({ build: forgets }), silent)
    await expect(filled).rejects.toThrow('kube-apiserver, kube-controller-manager missing in the result')
    expect(existsSync(folderIn(root))).toBe(false)
  })

  test('a set that lost a part is made anew', async () => {
    const root = folder()
    write(folderIn(root), ['etcd'])
    expect(missingFrom(await fillCache(root, by({ succeeds }), silent))).toEqual([])
  })

  test('when all fail, the error has each reason and the cure', async () => {
    const failure = await fillCache(folder(), by({ download: fails, build: fails }), silent).catch(
      (error: Error) => error,
    )
    const message = String(failure)
    expect(message).toContain('- download: the cable was cut\n- build: the cable was cut\nCure: ')
    expect(message).toContain('KUBEBUILDER_ASSETS')
  })

  test('a provision that was killed half-way leaves neither a lock nor a set, and is swept up', async () => {
    const root = folder()
    const { child, firstLine } = script(`
      import { writeFileSync } from 'node:fs'
      import { fillCache } from './cache.ts'
      import { CONTROL_PLANE } from './provision.ts'
      const build = async (into) => {
        for (const applet of CONTROL_PLANE.programs) {
          writeFileSync(into + '/' + applet, 'unfinished', { mode: 0o755 })
        }
        console.log('working')
        setInterval(() => {}, 1000)
        await new Promise(() => {})
      }
      await fillCache(${JSON.stringify(root)}, { ...CONTROL_PLANE, fillers: { build } }, () => {})
    `)
    await firstLine
    expect(partials(root)).toHaveLength(1)
    child.kill('SIGKILL')
    await expect(fillCache(root, by({ succeeds }), silent)).resolves.toBe(folderIn(root))
    expect(partials(root)).toEqual([])
  })

  test('of two at once the second waits, says so, and finds the work done', async () => {
    const root = folder()
    let finish: () => void = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let isFilling = false
    const slow: Filler = async (into) => {
      isFilling = true
      await finished
      write(into)
    }
    const first = fillCache(root, by({ slow }), silent)
    await eventually(() => isFilling)
    const said: string[] = []
    const second = fillCache(root, by({ mustNotRun }), (line) => said.push(line))
    await eventually(() => expect(said).toHaveLength(1))
    expect(said[0]).toBe(`Waiting for process ${process.pid}, which is provisioning already`)
    finish()
    await expect(Promise.all([first, second])).resolves.toEqual([folderIn(root), folderIn(root)])
  })
})

describe('KUBEBUILDER_ASSETS', () => {
  test('a complete set is used as it is', async () => {
    const assets = folder()
    write(assets)
    const binaries = await provision(silent, { KUBEBUILDER_ASSETS: assets }, by({ mustNotRun }))
    expect(Object.values(binaries)).toEqual(APPLETS.map((applet) => join(assets, applet)))
  })

  test('an envtest set, which has no controller manager, is completed', async () => {
    const [assets, cache] = [folder(), folder()]
    write(assets, ['etcd', 'kube-apiserver', 'kubectl'])
    const said: string[] = []
    const env = { KUBEBUILDER_ASSETS: assets, XDG_CACHE_HOME: cache }
    const binaries = await provision((line) => said.push(line), env, by({ succeeds }))
    expect(said[0]).toContain('lacks kube-controller-manager: completing it')
    expect(binaries.kubeApiserver).toBe(join(assets, 'kube-apiserver'))
    expect(binaries.kubeControllerManager).toBe(
      join(folderIn(join(cache, 'regcred-operator')), 'kube-controller-manager'),
    )
  })

  test('without it the cache is used', async () => {
    const cache = folder()
    const binaries = await provision(silent, { XDG_CACHE_HOME: cache }, by({ succeeds }))
    expect(binaries.etcd).toBe(join(folderIn(join(cache, 'regcred-operator')), 'etcd'))
  })
})
