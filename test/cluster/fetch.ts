/** Fetches files over HTTP, with short time limits and checked sums. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { rootCause } from './errors.ts'
import { type Say, withStatus } from './progress.ts'

const CONNECT_TIMEOUT_MS = 4_000
const STALL_TIMEOUT_MS = 30_000

// Honours HTTPS_PROXY and NO_PROXY.
const dispatcher = new EnvHttpProxyAgent({
  connect: { timeout: CONNECT_TIMEOUT_MS },
  headersTimeout: STALL_TIMEOUT_MS,
  bodyTimeout: STALL_TIMEOUT_MS,
})

/** A successful response, or an error that names the host and the reason. */
export async function get(url: string): Promise<Response> {
  const response = await fetch(url, { dispatcher }).catch((error: unknown) => {
    throw new Error(`${new URL(url).host} cannot be reached (${rootCause(error)})`)
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

/** Saves `url` as `file`, which exists afterwards only if its SHA-512 is `sha512` (hex). */
export async function fetchVerified(url: string, sha512: string, file: string, say: Say): Promise<void> {
  const { body, headers } = await get(url)
  const length = headers.get('content-length')
  const total = length === null ? '' : ` of ${megabytes(Number(length))}`
  const hash = createHash('sha512')
  let received = 0
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length
      hash.update(chunk)
      done(null, chunk)
    },
  })
  const describe = (): string => `Downloading ${basename(url)}: ${megabytes(received)}${total} MB`
  try {
    const source = body === null ? Readable.from([]) : Readable.fromWeb(body)
    await withStatus(say, describe, () => pipeline(source, measure, createWriteStream(file)))
  } catch (error) {
    await rm(file, { force: true })
    throw new Error(`${url} broke off after ${megabytes(received)} MB (${rootCause(error)})`)
  }
  if (hash.digest('hex') !== sha512.trim().toLowerCase()) {
    await rm(file)
    throw new Error(`${url} does not have its published SHA-512`)
  }
}
