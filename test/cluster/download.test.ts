import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { download, downloadProgram, type Origins } from './download.ts'
import { missingFrom } from './locate.ts'
import { freePorts } from './ports.ts'
import { temporaryFolders } from './temporary.ts'
import { KUBERNETES_VERSION } from './versions.ts'

const folder = temporaryFolders()
const LINUX = { os: 'linux', arch: 'amd64' }
const MINOR = KUBERNETES_VERSION.replace(/\d+$/, '')
const sha512 = (content: string | Buffer): string => createHash('sha512').update(content).digest('hex')

let server: Server
let base: string
let origins: Origins
/** Path → content of the made-up sites; everything else is answered with 404. */
const files = new Map<string, string | Buffer>()
const requested: string[] = []
/** A path whose content breaks off in the middle. */
let breaksOff: string | undefined

/** An archive laid out as the published ones. */
function archiveOf(programs: string[]): Buffer {
  const dir = folder()
  mkdirSync(join(dir, 'controller-tools', 'envtest'), { recursive: true })
  for (const program of programs) {
    writeFileSync(join(dir, 'controller-tools', 'envtest', program), `#!/bin/sh\necho ${program}\n`, { mode: 0o755 })
  }
  execFileSync('tar', ['-czf', 'archive.tar.gz', 'controller-tools'], { cwd: dir })
  return readFileSync(join(dir, 'archive.tar.gz'))
}

/** Publishes an archive of `version` in the index; `hash` is its sum there, if not the right one. */
function publishArchive(version: string, archive: Buffer, hash = sha512(archive)): void {
  const name = `envtest-${version}-linux-amd64.tar.gz`
  files.set(`/${name}`, archive)
  const index = `${files.get('/index.yaml') ?? 'releases:\n'}`
  files.set(
    '/index.yaml',
    `${index}  ${version}:\n    ${name}:\n      hash: ${hash}\n      selfLink: ${base}/${name}\n`,
  )
}

function publishProgram(version: string, program: string, sum?: string): void {
  const content = `#!/bin/sh\necho ${program}\n`
  files.set(`/release/${version}/bin/linux/amd64/${program}`, content)
  files.set(`/release/${version}/bin/linux/amd64/${program}.sha512`, sum ?? `${sha512(content)}\n`)
}

beforeAll(async () => {
  // A proxy of the developer's is no way to our own loopback server.
  process.env.NO_PROXY = '127.0.0.1'
  server = createServer((request, response) => {
    const content = files.get(request.url ?? '')
    requested.push(request.url ?? '')
    if (request.url === breaksOff) {
      response.writeHead(200, { 'content-length': '1000000' })
      response.write('the first bytes', () => response.destroy())
      return
    }
    response.writeHead(content === undefined ? 404 : 200)
    response.end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  origins = { index: `${base}/index.yaml`, release: `${base}/release` }
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

beforeEach(() => {
  files.clear()
  requested.length = 0
  breaksOff = undefined
})

const ARCHIVED = ['etcd', 'kube-apiserver', 'kubectl']

test('the archive is completed by the controller manager of the same version', async () => {
  publishArchive(KUBERNETES_VERSION, archiveOf(ARCHIVED))
  publishProgram(KUBERNETES_VERSION, 'kube-controller-manager')
  const into = folder()
  await download(into, () => {}, origins, LINUX)
  expect(missingFrom(into)).toEqual([])
  expect(readdirSync(into).sort()).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'])
  expect(execFileSync(join(into, 'kube-controller-manager'), { encoding: 'utf8' })).toBe('kube-controller-manager\n')
})

test('an archive without kubectl is completed too', async () => {
  publishArchive(KUBERNETES_VERSION, archiveOf(['etcd', 'kube-apiserver']))
  publishProgram(KUBERNETES_VERSION, 'kube-controller-manager')
  publishProgram(KUBERNETES_VERSION, 'kubectl')
  const into = folder()
  await download(into, () => {}, origins, LINUX)
  expect(missingFrom(into)).toEqual([])
})

test('without an archive of the pinned version the highest patch release of the same minor version is taken', async () => {
  for (const version of [`${MINOR}98`, `${MINOR}99`, `${MINOR}100-rc.1`, 'v1.1.0']) {
    publishArchive(version, archiveOf(ARCHIVED))
  }
  publishProgram(`${MINOR}99`, 'kube-controller-manager')
  const said: string[] = []
  await download(folder(), (line) => said.push(line), origins, LINUX)
  expect(said).toEqual([`Downloading the control plane ${MINOR}99`])
  expect(requested).toContain(`/envtest-${MINOR}99-linux-amd64.tar.gz`)
})

test('a program that is no part of a control plane is taken from the release alone', async () => {
  publishProgram(KUBERNETES_VERSION, 'kubelet')
  const into = folder()
  await downloadProgram('kubelet', into, () => {}, origins, LINUX)
  expect(execFileSync(join(into, 'kubelet'), { encoding: 'utf8' })).toBe('kubelet\n')
  expect(readdirSync(into)).toEqual(['kubelet'])
})

describe('nothing unverified stays', () => {
  test('an archive with another sum is refused and not unpacked', async () => {
    publishArchive(KUBERNETES_VERSION, archiveOf(ARCHIVED), sha512('something else'))
    const into = folder()
    await expect(download(into, () => {}, origins, LINUX)).rejects.toThrow('does not have its published SHA-512')
    expect(readdirSync(into)).toEqual([])
  })

  test('a controller manager with another sum is refused', async () => {
    publishArchive(KUBERNETES_VERSION, archiveOf(ARCHIVED))
    publishProgram(KUBERNETES_VERSION, 'kube-controller-manager', sha512('something else'))
    const into = folder()
    await expect(download(into, () => {}, origins, LINUX)).rejects.toThrow('does not have its published SHA-512')
    expect(missingFrom(into)).toEqual(['kube-controller-manager'])
  })

  test('an archive that breaks off is removed', async () => {
    publishArchive(KUBERNETES_VERSION, archiveOf(ARCHIVED))
    breaksOff = `/envtest-${KUBERNETES_VERSION}-linux-amd64.tar.gz`
    const into = folder()
    await expect(download(into, () => {}, origins, LINUX)).rejects.toThrow('.tar.gz broke off after 0.0 MB')
    expect(readdirSync(into)).toEqual([])
  })
})

describe('a sentence tells why there is no download', () => {
  test('nobody listens', async () => {
    const [port = 0] = await freePorts(1)
    const nowhere = { ...origins, index: `http://127.0.0.1:${port}/index.yaml` }
    const reason = `127.0.0.1:${port} cannot be reached (connect ECONNREFUSED 127.0.0.1:${port})`
    await expect(download(folder(), () => {}, nowhere, LINUX)).rejects.toThrow(reason)
  })

  test('a login portal answers with its page', async () => {
    files.set('/index.yaml', '<html><body>Welcome: please {log in}</body></html>')
    await expect(download(folder(), () => {}, origins, LINUX)).rejects.toThrow('is not the index of envtest archives')
  })

  test('the index is gone', async () => {
    await expect(download(folder(), () => {}, origins, LINUX)).rejects.toThrow('/index.yaml answered 404')
  })

  test('the minor version is not published', async () => {
    publishArchive('v1.1.0', archiveOf(ARCHIVED))
    await expect(download(folder(), () => {}, origins, LINUX)).rejects.toThrow(`no envtest archive of ${MINOR}x`)
  })

  test('the platform is not published', async () => {
    publishArchive(KUBERNETES_VERSION, archiveOf(ARCHIVED))
    const mips = { os: 'linux', arch: 'mips' }
    await expect(download(folder(), () => {}, origins, mips)).rejects.toThrow('is published for linux/mips')
  })

  test('no controller manager exists for other systems than Linux, and nothing is fetched in vain', async () => {
    const mac = { os: 'darwin', arch: 'arm64' }
    await expect(download(folder(), () => {}, origins, mac)).rejects.toThrow('is published for darwin')
    expect(requested).toEqual([])
  })
})
