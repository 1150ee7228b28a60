/**
 * The operator's key for the marks on its Secrets, kept in a Secret of its own namespace so that it outlives restarts.
 * When it is lost a new one is made, and every copy is written once more. Only the leader may call this.
 */
import { randomBytes } from 'node:crypto'
import { fieldManager, markKeySecret } from '../api/names.ts'
import { isNotFound } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import { secretPath } from './secret-writer.ts'

const minBytes = 32

export async function loadMarkKey(client: KubeClient, namespace: string): Promise<Buffer> {
  return (await readKey(client, secretPath(namespace, markKeySecret))) ?? (await makeKey(client, namespace))
}

async function readKey(client: KubeClient, path: string): Promise<Buffer | undefined> {
  try {
    const { data } = await client.get<{ data?: { key?: string } }>(path)
    const key = Buffer.from(data?.key ?? '', 'base64')
    return key.length >= minBytes ? key : undefined
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function makeKey(client: KubeClient, namespace: string): Promise<Buffer> {
  const key = randomBytes(minBytes)
  const metadata = { name: markKeySecret, namespace }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { key: key.toString('base64') } }
  await client.apply(secretPath(namespace, markKeySecret), secret, { fieldManager, force: true })
  return key
}
