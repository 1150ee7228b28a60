/**
 * The operator's key for the marks on its Secrets, kept in a Secret of its own namespace so that it outlives restarts.
 * When it is lost a new one is made, and every copy is written once more. Only the leader may call this.
 */
import { randomBytes } from 'node:crypto'
import { fieldManager, markKeySecret } from '../api/names.ts'
import { isNotFound } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import { secretPath } from './secret-writer.ts'

const minBytes = 32

/** @throws ApiError 409 where somebody has made one meanwhile, which is the key then; ConnectionError */
export async function loadMarkKey(client: KubeClient, namespace: string): Promise<Buffer> {
  const { key, resourceVersion } = await readKey(client, secretPath(namespace, markKeySecret))
  return key ?? (await makeKey(client, namespace, resourceVersion))
}

async function readKey(client: KubeClient, path: string): Promise<{ key?: Buffer; resourceVersion: string }> {
  try {
    const { metadata, data } = await client.get<KubeObject & { data?: { key?: string } }>(path)
    const key = Buffer.from(data?.key ?? '', 'base64')
    const { resourceVersion } = metadata
    return key.length >= minBytes ? { key, resourceVersion } : { resourceVersion }
  } catch (error) {
    if (isNotFound(error)) return { resourceVersion: '1' } // which no object has, so that only one can make it
    throw error
  }
}

async function makeKey(client: KubeClient, namespace: string, resourceVersion: string): Promise<Buffer> {
  const key = randomBytes(minBytes)
  const metadata = { name: markKeySecret, namespace, resourceVersion }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { key: key.toString('base64') } }
  await client.apply(secretPath(namespace, markKeySecret), secret, { fieldManager, force: true })
  return key
}
