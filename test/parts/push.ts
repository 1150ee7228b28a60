/** Pushes images without docker (distribution's `spec/api.md`, OCI image specification). */
import { Agent, fetch, type RequestInit, type Response } from 'undici'
import { configOf, type Descriptor, digestOf, type Image, type Layout } from './image.ts'

const OCI = 'application/vnd.oci.image'

export interface PushOptions {
  /** PEM text. */
  ca?: string
  /** Default: one of a few bytes, which nothing can run. */
  image?: Image
}

const noProgram: Image = { layer: Buffer.from('layer'), entrypoint: [] }

/** A repository that is written to. */
interface Repository {
  pushBlob(mediaType: string, bytes: Buffer): Promise<Descriptor>
  pushManifest(tag: string, mediaType: string, bytes: Buffer): Promise<void>
  close(): Promise<void>
}

function openRepository(url: string, name: string, given: Record<string, string>, ca?: string): Repository {
  const dispatcher = new Agent(ca === undefined ? {} : { connect: { ca } })
  const base = `${url}/v2/${name}`

  async function send(url: string | URL, wanted: number, init: RequestInit): Promise<Response> {
    const response = await fetch(url, { ...init, dispatcher, headers: { ...given, ...init.headers } })
    await response.arrayBuffer()
    if (response.status !== wanted) {
      throw new Error(
        `${init.method} ${new URL(url).pathname} is answered with ${response.status} instead of ${wanted}`,
      )
    }
    return response
  }

  return {
    async pushBlob(mediaType, bytes) {
      const digest = digestOf(bytes)
      const { headers } = await send(`${base}/blobs/uploads/`, 202, { method: 'POST' })
      const upload = new URL(headers.get('location') ?? '', url)
      upload.searchParams.set('digest', digest)
      await send(upload, 201, { method: 'PUT', body: bytes, headers: { 'content-type': 'application/octet-stream' } })
      return { mediaType, digest, size: bytes.length }
    },
    async pushManifest(tag, mediaType, bytes) {
      const headers = { 'content-type': mediaType }
      await send(`${base}/manifests/${tag}`, 201, { method: 'PUT', body: bytes, headers })
    },
    close: () => dispatcher.close(),
  }
}

/**
 * Pushes an image of one layer; fulfilled with the digest of the manifest. `headers` authenticate each of the
 * requests, so a token needs the actions pull and push.
 */
export async function pushImage(
  registryUrl: string,
  repository: string,
  tag: string,
  headers: Record<string, string> = {},
  { ca, image = noProgram }: PushOptions = {},
): Promise<string> {
  const { pushBlob, pushManifest, close } = openRepository(registryUrl, repository, headers, ca)
  try {
    const layer = await pushBlob(`${OCI}.layer.v1.tar`, image.layer)
    const config = await pushBlob(`${OCI}.config.v1+json`, configOf(image))
    const mediaType = `${OCI}.manifest.v1+json`
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }))
    await pushManifest(tag, mediaType, manifest)
    return digestOf(manifest)
  } finally {
    await close()
  }
}

/** Pushes an image that was built, as it is; `headers` as of `pushImage`. */
export async function pushLayout(
  registryUrl: string,
  repository: string,
  tag: string,
  headers: Record<string, string>,
  { blob, descriptor, config, layers }: Layout,
): Promise<void> {
  const { pushBlob, pushManifest, close } = openRepository(registryUrl, repository, headers)
  try {
    for (const each of [config, ...layers]) await pushBlob(each.mediaType, blob(each))
    await pushManifest(tag, descriptor.mediaType, blob(descriptor))
  } finally {
    await close()
  }
}
