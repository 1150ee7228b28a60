/**
 * A certificate that nobody vouches for: traffic is encrypted, and who wants to know the server too brings one of an
 * authority (certificate-files.ts). It lives in memory alone. Not imported before it is wanted: the library is large.
 */
import { generateKeyPair, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'
import {
  Boolean as Asn1Boolean,
  Set as Asn1Set,
  type BaseBlock,
  BitString,
  Constructed,
  fromBER,
  Integer,
  ObjectIdentifier,
  OctetString,
  Primitive,
  Sequence,
  UTCTime,
  Utf8String,
} from 'asn1js'
import type { Certificates, KeyPair } from './certificates.ts'

const dayMs = 24 * 3_600_000
const lifetimeMs = 90 * dayMs
/** Clocks of clients may be behind. */
const backdatedMs = 3_600_000
/** setInterval knows no more than 24 days; and a key that is replaced often is of little use to whoever gets one. */
const renewEveryMs = 7 * dayMs

const ecdsaWithSha256 = '1.2.840.10045.4.3.2'
const commonName = '2.5.4.3'
const basicConstraints = '2.5.29.19'
const extendedKeyUsage = '2.5.29.37'
const serverAuth = '1.3.6.1.5.5.7.3.1'
const subjectAltName = '2.5.29.17'
/** dNSName, a kind of GeneralName (RFC 5280, section 4.2.1.6). */
const dnsName = { tagClass: 3, tagNumber: 2 }

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
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const signed = toBeSigned(publicKey)
  const signature = sign('sha256', bytes(signed), privateKey)
  const certificate = sequence(signed, algorithm(), new BitString({ valueHex: signature }))
  return { cert: pem(bytes(certificate)), key: privateKey }
}

/** TBSCertificate (RFC 5280, section 4.1). @param publicKey SubjectPublicKeyInfo in DER */
function toBeSigned(publicKey: Buffer): Sequence {
  const now = Date.now()
  const localhost = new Primitive({ idBlock: dnsName, valueHex: Buffer.from('localhost') })
  const extensions = sequence(
    extension(basicConstraints, sequence(), true), // cA is false, which DER leaves out
    extension(extendedKeyUsage, sequence(oid(serverAuth))),
    extension(subjectAltName, sequence(localhost)),
  )
  return sequence(
    explicit(0, new Integer({ value: 2 })), // v3
    new Integer({ valueHex: Buffer.concat([Buffer.from([1]), randomBytes(15)]) }), // the serial number, positive
    algorithm(),
    name(), // of the issuer
    sequence(utcTime(now - backdatedMs), utcTime(now + lifetimeMs)),
    name(), // of the subject
    fromBER(publicKey).result,
    explicit(3, extensions),
  )
}

const sequence = (...value: BaseBlock[]) => new Sequence({ value })
const oid = (value: string) => new ObjectIdentifier({ value })
const utcTime = (ms: number) => new UTCTime({ valueDate: new Date(ms) })
const algorithm = () => sequence(oid(ecdsaWithSha256))
const explicit = (tagNumber: number, value: BaseBlock) =>
  new Constructed({ idBlock: { tagClass: 3, tagNumber }, value: [value] })

function name(): Sequence {
  const attribute = sequence(oid(commonName), new Utf8String({ value: 'regcred-operator' }))
  return sequence(new Asn1Set({ value: [attribute] }))
}

function extension(id: string, value: BaseBlock, critical = false): Sequence {
  const octets = new OctetString({ valueHex: bytes(value) })
  return critical ? sequence(oid(id), new Asn1Boolean({ value: true }), octets) : sequence(oid(id), octets)
}

function bytes(block: BaseBlock): Buffer {
  return Buffer.from(block.toBER())
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`
}
