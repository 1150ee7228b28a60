/** Whether a request is signed as AWS wants it (Signature Version 4), so that nothing on the way may have touched it. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IssuerRequest } from './issuer-server.ts'

export interface Signature {
  accessKeyId: string
  region: string
  service: string
  /** Made with this secret key, over what has come. */
  isBy(secretAccessKey: string): boolean
}

/** Undefined: it is not signed. */
export function signatureOf({ method, path, headers, body }: IssuerRequest): Signature | undefined {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=(.+?)\/(\d+)\/(.+?)\/(.+?)\/aws4_request, SignedHeaders=(.+), Signature=(.+)$/
  const parts = pattern.exec(headers.authorization ?? '')
  if (parts === null) return undefined
  const [, accessKeyId = '', date = '', region = '', service = '', signed = '', signature = ''] = parts
  const lines = signed.split(';').map((name) => `${name}:${headers[name]}\n`)
  const canonical = [method, path, '', lines.join(''), signed, sha256(body)].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const isBy = (secretAccessKey: string) => {
    const key = [date, region, service, 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`)
    const [mine, theirs] = [hmac(key, text), Buffer.from(signature, 'hex')]
    return mine.length === theirs.length && timingSafeEqual(mine, theirs)
  }
  return { accessKeyId, region, service, isBy }
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
