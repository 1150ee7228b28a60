import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { CertificateError, certificateFiles } from '../../src/telemetry/certificate-files.ts'
import type { KeyPair } from '../../src/telemetry/certificates.ts'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { eventually } from '../cluster/wait.ts'
import { recordingLog } from '../kube/setup.ts'

const authority = createAuthority('test-ca')
let dir: string
let end: AbortController

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'certificate-files-'))
  end = new AbortController()
})

afterEach(() => {
  end.abort()
  rmSync(dir, { recursive: true })
})

/** The certificate, followed by that of its authority. */
function createPair(name = 'metrics'): KeyPair {
  const { certificate, key } = serverCertificate(authority, name)
  return { cert: certificate + authority.certificate, key }
}

function write({ cert, key }: Partial<KeyPair>, folder = dir): void {
  if (cert !== undefined) writeFileSync(join(folder, 'tls.crt'), cert)
  if (key !== undefined) writeFileSync(join(folder, 'tls.key'), key)
}

/** The pairs so far, the newest last. */
async function follow() {
  const { log, lines } = recordingLog()
  const pairs: KeyPair[] = []
  const files = certificateFiles('--metrics-cert-dir', dir, log, 20)
  pairs.push(await files((pair) => void pairs.push(pair), end.signal))
  return { pairs, lines }
}

describe('at the start', () => {
  const pair = createPair()
  const { cert, key } = pair

  test.each<[string, Partial<KeyPair>, string, string]>([
    ['no certificate', { key }, 'tls.crt', 'cannot be read (ENOENT)'],
    ['no key', { cert }, 'tls.key', 'cannot be read (ENOENT)'],
    ['an empty certificate', { cert: '', key }, 'tls.crt', 'holds no certificate in PEM'],
    ['an empty key', { cert, key: '' }, 'tls.key', 'holds no private key in PEM'],
    ['the key in the place of the certificate', { cert: key, key }, 'tls.crt', 'holds no certificate in PEM'],
    ['the certificate in the place of the key', { cert, key: cert }, 'tls.key', 'holds no private key in PEM'],
    ['half a key', { cert, key: key.slice(0, 100) }, 'tls.key', 'holds no private key in PEM'],
    ['the key of another', { cert, key: createPair().key }, 'tls.key', 'is not the key of'],
    ['half a chain', { cert: cert.slice(0, -100), key }, 'tls.crt', 'cannot be used for TLS'],
  ])('%s is an error that names flag and file, and quotes nothing', async (_, files, file, reason) => {
    write(files)
    const error = await follow().catch((error) => error)
    expect(error).toBeInstanceOf(CertificateError)
    expect(error.message).toContain(`--metrics-cert-dir: ${join(dir, file)} ${reason}`)
    expect(String(error.stack)).not.toContain(key.slice(60, 80))
  })

  test('a whole pair is taken, as it is', async () => {
    write(pair)
    expect((await follow()).pairs).toEqual([pair])
  })
})

describe('later', () => {
  test('a new pair is taken when it is written in place', async () => {
    write(createPair())
    const { pairs, lines } = await follow()
    const next = createPair()
    write(next)
    await eventually(() => expect(pairs.at(-1)).toEqual(next))
    expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'a new certificate is in use' })
  })

  test('a new pair is taken when the kubelet turns its link', async () => {
    for (const name of ['..1', '..2']) {
      mkdirSync(join(dir, name))
      write(createPair(name), join(dir, name))
    }
    symlinkSync('..1', join(dir, '..data'))
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(dir, file))
    const { pairs } = await follow()
    symlinkSync('..2', join(dir, '..data_tmp'))
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'))
    await eventually(() => expect(pairs).toHaveLength(2))
  })

  test('the last good pair stays while the files are broken, which is said once', async () => {
    const [first, next] = [createPair(), createPair()]
    write(first)
    const { pairs, lines } = await follow()
    write({ key: next.key })
    await eventually(() => expect(lines).toHaveLength(1))
    const { level, message, fields } = lines[0] ?? {}
    expect([level, message]).toEqual(['error', 'the certificate cannot be used; the last good one stays'])
    expect(String(fields?.error)).toContain(`--metrics-cert-dir: ${join(dir, 'tls.key')} is not the key of`)
    expect(pairs).toEqual([first])
    write(next)
    await eventually(() => expect(pairs).toEqual([first, next]))
    expect(lines).toHaveLength(2)
  })
})
