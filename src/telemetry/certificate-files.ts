/**
 * The certificate of a server in a folder, under the names of a Secret of the type kubernetes.io/tls, as cert-manager
 * writes it. The files are read again and again, which no way of replacing them escapes: neither the link that the
 * kubelet turns, nor a mount, nor writing in place. controller-runtime's certwatcher looks as often.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Certificates, KeyPair } from './certificates.ts'
import type { Logger } from './logger.ts'

const lookEveryMs = 10_000

/** Files that hold no certificate and key. The message names flag, file and cure, and quotes nothing of them. */
export class CertificateError extends Error {
  override name = 'CertificateError'
}

/**
 * @param flag named by errors
 * @throws CertificateError when the files cannot be used at the start; later ones are logged, and the last good pair stays
 */
export const certificateFiles =
  (flag: string, dir: string, log: Logger, everyMs: number = lookEveryMs): Certificates =>
  async (renewed, signal) => {
    let pair = await readPair(flag, dir)
    let failures = 0

    async function look(): Promise<void> {
      try {
        const found = await readPair(flag, dir)
        failures = 0
        if (found.cert === pair.cert && found.key === pair.key) return
        pair = found
        renewed(pair)
        log.info('a new certificate is in use', { dir, expires: new X509Certificate(pair.cert).validToDate })
      } catch (error) {
        failures++
        // One failure may be a look at files that are being replaced.
        if (failures === 2) log.error('the certificate cannot be used; the last good one stays', { error })
      }
    }

    const timer = setInterval(() => void look(), everyMs).unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    return pair
  }

async function readPair(flag: string, dir: string): Promise<KeyPair> {
  const certFile = join(dir, 'tls.crt')
  const keyFile = join(dir, 'tls.key')
  const cert = await readText(flag, certFile) // of two that are missing this is the one to name
  const key = await readText(flag, keyFile)
  // In one sentence each: what OpenSSL says differs from version to version, and helps nobody.
  const certificate = attempt(() => new X509Certificate(cert))
  if (!certificate) throw new CertificateError(`${flag}: ${certFile} holds no certificate in PEM; put one there`)
  const privateKey = attempt(() => createPrivateKey(key))
  if (!privateKey) {
    throw new CertificateError(`${flag}: ${keyFile} holds no private key in PEM, without a password; put one there`)
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new CertificateError(`${flag}: ${keyFile} is not the key of ${certFile}; take both from the same Secret`)
  }
  if (!attempt(() => createSecureContext({ cert, key }))) {
    throw new CertificateError(`${flag}: ${certFile} cannot be used for TLS; see that all certificates in it are whole`)
  }
  return { cert, key }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

async function readText(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw new CertificateError(`${flag}: ${file} cannot be read (${code}); put it there, readable to the operator`)
  }
}
