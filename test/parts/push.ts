/** Pushes an image of one layer without docker (distribution's `spec/api.md`, OCI image specification). */
import { Agent, fetch, type RequestInit, type Response } from 'undici'
import { configOf, digestOf, type Image } from './image.ts'

const OCI = 'application/vnd.oci.image'

interface Blob {
  mediaType: string
  digest: string
  size: number
}

export interface PushOptions {
  /** PEM text. */
  ca?: string
  /** Default: one of a few bytes, which nothing can run. */
  image?: Image
}

const noProgram: Image = { layer: Buffer.from('layer'), entrypoint: [] }

/**
 * Fulfilled with the digest of the manifest. `headers` authenticate each of the
 * requests, so a token needs the actions pull and push.
 */
export async function pushImage(
  registryUrl: string,
  repository: string,
  tag: string,
  headers: Record<string, string> = {},
  { ca, image = noProgram }: PushOptions = {},
): Promise<string> {
  const dispatcher = new Agent(ca === undefined ? {} : { connect: { ca } })
  const base = `${registryUrl}/v2/${repository}`

  async function send(url: string | URL, wanted: number, init: RequestInit): Promise<Response> {
    const response = await fetch(url, { ...init, dispatcher, headers: { ...headers, ...init.headers } })
    await response.arrayBuffer()
    if (response.status !== wanted) {
      throw new Error(
        `${init.method} ${new URL(url).pathname} is answered with ${response.status} instead of ${wanted}`,
      )
    }
    return response
  }

  async function pushBlob(mediaType: string, bytes: Buffer): Promise<Blob> {
    const digest = digestOf(bytes)
    const { headers } = await send(`${base}/blobs/uploads/`, 202, { method: 'POST' })
    const upload = new URL(headers.get('location') ?? '', registryUrl)
    upload.searchParams.set('digest', digest)
    await send(upload, 201, { method: 'PUT', body: bytes, headers: { 'content-type': 'application/octet-stream' } })
    return { mediaType, digest, size: bytes.length }
  }

  try {
    const layer = await pushBlob(`${OCI}.layer.v1.tar`, image.layer)
    const config = await pushBlob(`${OCI}.config.v1+json`, configOf(image))
    const mediaType = `${OCI}.manifest.v1+json`
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }))
    await send(`${base}/manifests/${tag}`, 201, {
      method: 'PUT',
      body: manifest,
      headers: { 'content-type': mediaType },
    })
    return digestOf(manifest)
  } finally {
    await dispatcher.close()
  }
}
