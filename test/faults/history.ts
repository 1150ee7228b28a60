/**
 * What has happened to objects, version by version, as etcd has it: the API server may have been down or its answers
 * lost, and no watch would have seen it all. Needs a control plane that keeps its history (`startCluster`).
 *
 * It is read over etcd's JSON gateway (etcd `Documentation/dev-guide/api_grpc_gateway`): keys and values are base64,
 * 64-bit numbers are strings.
 */
import type { KubeObject } from '../../src/kube/objects.ts'

/** One version of an object, or its end. */
export interface Version<T extends KubeObject = KubeObject> {
  namespace: string
  name: string
  /** Of the whole store: what came first has the smaller one, also of different objects. */
  revision: number
  /** undefined: it was deleted. */
  object: T | undefined
}

interface WatchAnswer {
  result?: {
    canceled?: boolean
    events?: { type?: 'DELETE'; kv: { key: string; value?: string; mod_revision: string } }[]
  }
}

const encode = (text: string) => Buffer.from(text).toString('base64')
const decode = (text: string) => Buffer.from(text, 'base64').toString()

/** The revision that the store is at. */
export async function revisionOf(etcdUrl: string): Promise<number> {
  const { header } = (await post(etcdUrl, 'kv/range', { key: encode('any'), count_only: true })) as Headed
  return Number(header.revision)
}

/**
 * All versions of the objects of a resource from `since` to now, in the order in which they came to be.
 * @param resource as in etcd's keys: `secrets`, `serviceaccounts`
 */
export async function historyOf<T extends KubeObject>(
  etcdUrl: string,
  resource: string,
  since: number,
): Promise<Version<T>[]> {
  const prefix = `/registry/${resource}/`
  // The last event of a watch does not say that it is the last: this one does. The API server does not look there.
  const endKey = `/registry/${resource}~end`
  const { header } = (await post(etcdUrl, 'kv/put', { key: encode(endKey), value: encode('end') })) as Headed
  const versions: Version<T>[] = []
  const range = { key: encode(prefix), range_end: encode(`${endKey}~`), start_revision: String(since) }
  for await (const { result } of watch(etcdUrl, range)) {
    if (result?.canceled)
      throw new Error('etcd has forgotten these versions: was the cluster started with its history?')
    for (const { type, kv } of result?.events ?? []) {
      const revision = Number(kv.mod_revision)
      if (revision >= Number(header.revision)) return versions
      if (decode(kv.key) === endKey) continue // of an earlier call
      const [namespace = '', name = ''] = decode(kv.key).slice(prefix.length).split('/')
      const object = type === 'DELETE' ? undefined : (JSON.parse(decode(kv.value ?? '')) as T)
      versions.push({ namespace, name, revision, object })
    }
  }
  throw new Error('etcd ended the watch before it had told everything')
}

/** As of an etcd whose quota is used up: it takes no writes but deletions, until the alarm is off. */
export async function alarm(etcdUrl: string, action: 'ACTIVATE' | 'DEACTIVATE'): Promise<void> {
  await post(etcdUrl, 'maintenance/alarm', { action, alarm: 'NOSPACE' })
}

interface Headed {
  header: { revision: string }
}

async function post(etcdUrl: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${etcdUrl}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`etcd: ${answer.status} at ${path}`)
  return await answer.json()
}

async function* watch(etcdUrl: string, range: object): AsyncGenerator<WatchAnswer> {
  const stop = new AbortController()
  const body = JSON.stringify({ create_request: range })
  const answer = await fetch(`${etcdUrl}/v3/watch`, { method: 'POST', body, signal: stop.signal })
  let rest = ''
  try {
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line) as WatchAnswer
    }
  } finally {
    stop.abort()
  }
}
