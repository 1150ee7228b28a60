/** What the tests against the real control plane share: clients, namespaces of their own, a log that can be read. */
import { randomBytes } from 'node:crypto'
import type { ReadableStreamAsyncIterator } from 'node:stream/web'
import { afterAll } from '@jest/globals'
import { KubeConfig } from '@kubernetes/client-node'
import { type ClientOptions, KubeClient, type Response, type WatchOptions } from '../../src/kube/client.ts'
import type { Fields, Logger } from '../../src/telemetry/logger.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'

export const manager = { fieldManager: 'test' }

const cleanups: (() => unknown)[] = []
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})

/** Runs after all tests of the file, last registered first. */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

/** The admin's kubeconfig, with another server in it: a proxy in front of the real one. */
export function configOf(file: string = sharedCluster().adminKubeconfig, server?: string): KubeConfig {
  const config = new KubeConfig()
  config.loadFromFile(file)
  const cluster = config.clusters[0]
  if (cluster !== undefined && server !== undefined) {
    config.clusters = [{ ...cluster, server, skipTLSVerify: server.startsWith('http:') }]
  }
  return config
}

/** Closed at the end. `responses` are all answers it gets. */
export function openClient(
  kubeConfig: KubeConfig = configOf(),
  options: Partial<ClientOptions> = {},
): KubeClient & { responses: Response[] } {
  const responses: Response[] = []
  const onResponse = (response: Response) => void responses.push(response)
  const client = new KubeClient({ kubeConfig, version: '1.2.3', onResponse, ...options })
  atEnd(() => client.close())
  return Object.assign(client, { responses })
}

/** A watch, begun at once, for tests that wait for its next line; `return` ends it. */
export function linesOf(
  client: KubeClient,
  path: string,
  { signal, ...options }: Omit<WatchOptions, 'onLine'> = {},
): ReadableStreamAsyncIterator<string> {
  const stop = new AbortController()
  const lines = new ReadableStream<string>({
    start(queue) {
      const ended = client.watch(path, {
        ...options,
        signal: AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]),
        onLine: (line) => queue.enqueue(line),
      })
      void ended.then(
        () => queue.close(),
        (error: unknown) => queue.error(error),
      )
    },
    cancel: (reason) => stop.abort(reason),
  })
  return lines.values()
}

/** @returns the name of a namespace that is deleted at the end */
export async function freshNamespace(client: KubeClient): Promise<string> {
  const name = `kube-test-${randomBytes(5).toString('hex')}`
  await client.create('/api/v1/namespaces', { metadata: { name } }, manager)
  atEnd(() => client.delete(`/api/v1/namespaces/${name}`))
  return name
}

/**
 * A resource type of the test's own, cluster-scoped, deleted at the end. The API server remembers events of a type from
 * its making on, so that every earlier resourceVersion is too old for a watch.
 * @returns its path, and its apiVersion and kind
 */
export async function freshResource(client: KubeClient): Promise<{ path: string; apiVersion: string; kind: string }> {
  const group = `g${randomBytes(5).toString('hex')}.test.regcred.dev`
  const kind = 'Thing'
  const path = `/apis/${group}/v1/things`
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const names = { plural: 'things', singular: 'thing', kind, listKind: 'ThingList' }
  const schema = { openAPIV3Schema: { type: 'object' } }
  const versions = [{ name: 'v1', served: true, storage: true, schema }]
  const spec = { group, scope: 'Cluster', names, versions }
  await client.create(definitions, { metadata: { name: `things.${group}` }, spec }, manager)
  atEnd(() => client.delete(`${definitions}/things.${group}`))
  await eventually(async () => void (await client.get(path)), { describe: `${path} to be served` })
  return { path, apiVersion: `${group}/v1`, kind }
}

export interface LogLine {
  level: 'error' | 'warn' | 'info' | 'debug'
  message: string
  fields: Fields
}

export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = []
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Fields = {}) =>
      void lines.push({ level, message, fields })
  const log: Logger = {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: () => log,
  }
  return { log, lines }
}
