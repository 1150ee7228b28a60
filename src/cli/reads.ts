/** Reads that the user may lack the right to: then less can be told, which is no error. */
import { isForbidden, isNotFound } from '../kube/api-error.ts'
import type { KubeClient, Query } from '../kube/client.ts'
import { type KubeList, type KubeObject, metadataOnlyList } from '../kube/objects.ts'

/** `missing`: it is not there, or the API server does not know its kind. */
export type Read<T> = { state: 'read'; value: T } | { state: 'missing' } | { state: 'forbidden'; message: string }

/** Objects of one answer. */
const pageSize = 500

/** @throws what is neither a 403 nor a 404 */
export async function tryRead<T>(work: Promise<T>): Promise<Read<T>> {
  try {
    return { state: 'read', value: await work }
  } catch (error) {
    if (isNotFound(error)) return { state: 'missing' }
    if (isForbidden(error)) return { state: 'forbidden', message: (error as Error).message }
    throw error
  }
}

export function whatWasRead<T>(read: Read<T>): T | undefined {
  return read.state === 'read' ? read.value : undefined
}

/** Undefined: it is not there. @throws ApiError, ConnectionError */
export async function find(client: KubeClient, path: string): Promise<KubeObject | undefined> {
  try {
    return await client.get<KubeObject>(path)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** A whole list, page by page. @param metadata only that of each object @throws ApiError, ConnectionError */
export async function listAll<T extends KubeObject>(
  client: KubeClient,
  path: string,
  options: ListOptions = {},
): Promise<T[]> {
  const items: T[] = []
  for await (const page of pagesOf<T>(client, path, options)) items.push(...page)
  return items
}

interface ListOptions {
  query?: Query
  metadata?: boolean
}

/** The same for what is too much to be kept: the next page is asked for when the one before has been looked at. */
export async function* pagesOf<T extends KubeObject>(
  client: KubeClient,
  path: string,
  { query = {}, metadata = false }: ListOptions = {},
): AsyncGenerator<T[]> {
  for (let from: string | undefined; ; ) {
    const page = await client.get<KubeList<T>>(path, {
      query: { ...query, limit: pageSize, continue: from },
      ...(metadata && { accept: metadataOnlyList }),
    })
    yield page.items ?? []
    from = page.metadata.continue
    if (!from) return
  }
}
