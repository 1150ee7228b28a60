import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { expect, test } from '@jest/globals'
import type { KeyPair } from '../../src/telemetry/certificates.ts'
import { selfSigned } from '../../src/telemetry/self-signed.ts'
import { eventually } from '../cluster/wait.ts'

const dayMs = 24 * 3_600_000

async function first(): Promise<KeyPair> {
  const end = new AbortController()
  const pair = await selfSigned()(() => {}, end.signal)
  end.abort()
  return pair
}

test('the certificate is one of a server, signed with its own key, good for three months', async () => {
  const { cert, key } = await first()
  const certificate = new X509Certificate(cert)
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect([certificate.subject, certificate.issuer]).toEqual(['CN=regcred-operator', 'CN=regcred-operator'])
  expect(certificate.checkHost('localhost')).toBe('localhost')
  expect([certificate.ca, certificate.keyUsage]).toEqual([false, ['1.3.6.1.5.5.7.3.1']])
  expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now())
  expect(Math.round((certificate.validToDate.getTime() - Date.now()) / dayMs)).toBe(90)
  createSecureContext({ cert, key })
})

test('no two are alike', async () => {
  const [one, other] = await Promise.all([first(), first()])
  expect(one.key).not.toBe(other.key)
  expect(new X509Certificate(one.cert).serialNumber).not.toBe(new X509Certificate(other.cert).serialNumber)
})

test('new ones follow, until the end', async () => {
  const end = new AbortController()
  const later: KeyPair[] = []
  const pair = await selfSigned(10)((each) => void later.push(each), end.signal)
  await eventually(() => expect(later.length).toBeGreaterThan(1))
  end.abort()
  const keys = [pair, ...later].map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
})
