import { createPrivateKey, X509Certificate } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { type Certificate, clientCertificate, createAuthority, serverCertificate } from './certificates.ts'

const authority = createAuthority('test-authority')
const parse = (pem: Certificate): X509Certificate => new X509Certificate(pem.certificate)
const root = parse(authority)

test('the authority signs itself and may sign others', () => {
  expect(root.ca).toBe(true)
  expect(root.verify(root.publicKey)).toBe(true)
  expect(root.subject).toBe('CN=test-authority')
})

test('a client certificate names the user and its groups', () => {
  const pem = clientCertificate(authority, { commonName: 'jane', organizations: ['dev', 'system:masters'] })
  const certificate = parse(pem)
  expect(certificate.subject).toBe('O=dev\nO=system:masters\nCN=jane')
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  expect(certificate.ca).toBe(false)
  expect(certificate.checkIssued(root)).toBe(true)
  expect(certificate.verify(root.publicKey)).toBe(true)
  expect(certificate.checkPrivateKey(createPrivateKey(pem.key))).toBe(true)
})

test('a certificate of more than 64 KiB is encoded correctly, as its length needs three bytes', () => {
  const groups = Array.from({ length: 700 }, (_, i) => `group-${i}-${'x'.repeat(100)}`)
  const certificate = parse(clientCertificate(authority, { commonName: 'jane', organizations: groups }))
  expect(certificate.raw.length).toBeGreaterThan(2 ** 16)
  expect(certificate.verify(root.publicKey)).toBe(true)
})

test('a server certificate is for this machine only', () => {
  const certificate = parse(serverCertificate(authority, 'kube-apiserver'))
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(certificate.checkHost('localhost')).toBe('localhost')
  expect(certificate.checkHost('example.com')).toBeUndefined()
  expect(certificate.checkIP('198.19.0.1')).toBeUndefined()
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
})

test('or for further addresses too', () => {
  const certificate = parse(serverCertificate(authority, 'kube-apiserver', '198.19.0.1'))
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(certificate.checkIP('198.19.0.1')).toBe('198.19.0.1')
})

test('certificates are valid from before now, each with a serial number of its own', () => {
  const [one, two] = [1, 2].map(() => parse(clientCertificate(authority, { commonName: 'jane' })))
  expect(one?.validFromDate.getTime()).toBeLessThan(Date.now())
  expect(one?.validToDate.getTime()).toBeGreaterThan(Date.now())
  expect(one?.serialNumber).not.toBe(two?.serialNumber)
})
