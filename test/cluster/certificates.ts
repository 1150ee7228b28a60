/**
 * A small certificate authority for throw-away clusters: ECDSA P-256
 * certificates (RFC 5280) made with node:crypto alone, so that a test needs
 * neither openssl nor a network.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { bitString, der, integer, octetString, oid, sequence, TRUE, utcTime, utf8String } from './der.ts'

/** PEM texts. */
export interface Certificate {
  certificate: string
  key: string
}

/** Kubernetes reads the user's name from CN and its groups from O. */
export interface Subject {
  commonName: string
  organizations?: string[]
}

export interface Authority extends Certificate {
  subject: Subject
}

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const HOUR_MS = 3_600_000
const LIFETIME_MS = 30 * 24 * HOUR_MS

const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), TRUE, octetString(value))
const basicConstraints = (isCa: boolean): Buffer => extension('2.5.29.19', sequence(...(isCa ? [TRUE] : [])))
const keyCertSign = extension('2.5.29.15', bitString(2, Buffer.from([0b0000_0100])))
const digitalSignature = extension('2.5.29.15', bitString(7, Buffer.from([0b1000_0000])))
const extendedKeyUsage = (purpose: string): Buffer => extension('2.5.29.37', sequence(oid(purpose)))

/** Subject alternative names: this machine, and further IPv4 addresses. */
function serverNames(addresses: readonly string[]): Buffer {
  const bytes = ['127.0.0.1', ...addresses].map((address) => Buffer.from(address.split('.').map(Number)))
  // Tag 0x82 is a DNS name, 0x87 an IP address.
  const names = [der(0x82, Buffer.from('localhost')), ...bytes.map((each) => der(0x87, each))]
  return extension('2.5.29.17', sequence(...names))
}

function distinguishedName({ commonName, organizations = [] }: Subject): Buffer {
  const attribute = (type: string, value: string): Buffer => der(0x31, sequence(oid(type), utf8String(value)))
  return sequence(...organizations.map((o) => attribute('2.5.4.10', o)), attribute('2.5.4.3', commonName))
}

/** Without an issuer the certificate is signed by its own key. */
function issue(subject: Subject, extensions: Buffer[], issuer?: Authority): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signingKey: KeyObject = issuer === undefined ? privateKey : createPrivateKey(issuer.key)
  const now = Date.now()
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])), // serial number, positive
    ECDSA_WITH_SHA256,
    distinguishedName(issuer?.subject ?? subject),
    sequence(utcTime(new Date(now - HOUR_MS)), utcTime(new Date(now + LIFETIME_MS))),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = bitString(0, sign('sha256', toBeSigned, signingKey))
  const base64 = sequence(toBeSigned, ECDSA_WITH_SHA256, signature).toString('base64')
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

export function createAuthority(commonName: string): Authority {
  const subject = { commonName }
  return { subject, ...issue(subject, [basicConstraints(true), keyCertSign]) }
}

/** A certificate by which the API server knows a user and its groups. */
export function clientCertificate(authority: Authority, subject: Subject): Certificate {
  return issue(subject, [basicConstraints(false), digitalSignature, extendedKeyUsage(CLIENT_AUTH)], authority)
}

/** A certificate of a server at 127.0.0.1, localhost and further IPv4 addresses. */
export function serverCertificate(authority: Authority, commonName: string, ...addresses: string[]): Certificate {
  const extensions = [basicConstraints(false), digitalSignature, extendedKeyUsage(SERVER_AUTH), serverNames(addresses)]
  return issue({ commonName }, extensions, authority)
}
