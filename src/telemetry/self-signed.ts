/**
 * A certificate that nobody vouches for: traffic is encrypted, and who wants to know the server too brings one of an
 * authority (certificate-files.ts). It lives in memory alone. Not imported before it is wanted: the library is large.
 */
import { randomBytes, webcrypto } from 'node:crypto'
import { Integer, Utf8String } from 'asn1js'
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
} from 'pkijs'
import type { Certificates, KeyPair } from './certificates.ts'

const dayMs = 24 * 3_600_000
const lifetimeMs = 90 * dayMs
/** Clocks of clients may be behind. */
const backdatedMs = 3_600_000
/** setInterval knows no more than 24 days; and a key that is replaced often is of little use to whoever gets one. */
const renewEveryMs = 7 * dayMs

const commonName = '2.5.4.3'
const basicConstraints = '2.5.29.19'
const extendedKeyUsage = '2.5.29.37'
const serverAuth = '1.3.6.1.5.5.7.3.1'
const subjectAltName = '2.5.29.17'
/** A kind of GeneralName (RFC 5280, section 4.2.1.6). */
const dnsName = 2

/** A new pair now, and another every `everyMs`. */
export const selfSigned =
  (everyMs: number = renewEveryMs): Certificates =>
  async (renewed, signal) => {
    const timer = setInterval(() => void createPair().then(renewed), everyMs).unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    return createPair()
  }

/** ECDSA with P-256, which every client knows and which costs a tenth of RSA; made and signed by OpenSSL. */
async function createPair(): Promise<KeyPair> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = new Certificate({
    version: 2, // v3
    serialNumber: new Integer({ valueHex: Buffer.concat([Buffer.from([1]), randomBytes(15)]) }), // positive
    extensions: [
      extension(basicConstraints, new BasicConstraints({ cA: false }), true),
      extension(extendedKeyUsage, new ExtKeyUsage({ keyPurposes: [serverAuth] })),
      extension(subjectAltName, new GeneralNames({ names: [new GeneralName({ type: dnsName, value: 'localhost' })] })),
    ],
  })
  const name = new AttributeTypeAndValue({ type: commonName, value: new Utf8String({ value: 'regcred-operator' }) })
  certificate.subject.typesAndValues.push(name)
  certificate.issuer.typesAndValues.push(name)
  certificate.notBefore.value = new Date(now - backdatedMs)
  certificate.notAfter.value = new Date(now + lifetimeMs)
  await certificate.subjectPublicKeyInfo.importKey(publicKey)
  await certificate.sign(privateKey, 'SHA-256')
  return {
    cert: pem('CERTIFICATE', certificate.toSchema().toBER()),
    key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', privateKey)),
  }
}

function extension(extnID: string, value: { toSchema(): { toBER(): ArrayBuffer } }, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: value.toSchema().toBER() })
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`
}
