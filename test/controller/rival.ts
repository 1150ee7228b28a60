/** A GitOps controller that lists `imagePullSecrets` of its own and knows nothing of ours, as Argo CD and Flux apply them. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Lab, type ServiceAccount, serviceAccountPath } from './lab.ts'

export interface RivalOptions {
  namespace: string
  serviceAccount?: string
  /** Names that it wants; undefined leaves the field out of what it applies. */
  list: readonly string[] | undefined
  everyMs: number
  labels?: Record<string, string>
}

export interface Rival {
  /** The names that were answered to each apply, in order. */
  readonly answers: readonly (readonly string[])[]
  /** Its last apply has been answered. */
  stop(): Promise<void>
}

export const rivalManager = 'argocd-controller'

/** Applies its ServiceAccount with force, over and over, until it is stopped. */
export function startRival(lab: Lab, options: RivalOptions): Rival {
  const { namespace, serviceAccount = 'default', list, everyMs, labels = {} } = options
  const answers: string[][] = []
  const stopping = new AbortController()
  const manifest = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: serviceAccount, namespace, labels },
    ...(list && { imagePullSecrets: list.map((name) => ({ name })) }),
  }
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const path = serviceAccountPath(namespace, serviceAccount)
      const answer = await lab.client.apply<ServiceAccount>(path, manifest, { fieldManager: rivalManager, force: true })
      answers.push((answer.imagePullSecrets ?? []).map(({ name }) => name ?? ''))
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const done = work()
  return {
    answers,
    stop: async () => {
      stopping.abort()
      await done
    },
  }
}
