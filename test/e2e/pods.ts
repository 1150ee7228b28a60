/** Pods on the node of the tests, as a kubelet reports them. */
import type { KubeList } from '../../src/kube/objects.ts'
import { eventually } from '../cluster/wait.ts'
import type { Lab } from '../controller/lab.ts'
import { namesOf, podsPath, type Pod as SpecifiedPod } from '../controller/pods-lab.ts'
import { nodeName } from './node.ts'

export interface Pod extends SpecifiedPod {
  status: { containerStatuses?: ContainerStatus[] }
}

interface ContainerStatus {
  containerID?: string
  ready: boolean
  restartCount: number
  state: { running?: object; waiting?: { reason?: string; message?: string } }
}

export interface PodOptions {
  /** Names of its own list; default: it gets that of its ServiceAccount. */
  pullSecrets?: string[]
  /** The registry is asked at each start; default: only where the image is not there, or the login is new to the kubelet. */
  pullAlways?: boolean
  /** It is not on the host's network. */
  ownNetwork?: boolean
}

const labels = { app: 'web' }

export class Pods {
  readonly #lab: Lab

  constructor(lab: Lab) {
    this.#lab = lab
  }

  /** Makes a bare pod. */
  async make(namespace: string, name: string, image: string, options: PodOptions = {}): Promise<Pod> {
    return await this.#lab.create(podsPath(namespace), { metadata: { name }, spec: this.#spec(image, options) })
  }

  /** Makes a Deployment `web` of one pod, and returns that. */
  async deploy(namespace: string, image: string): Promise<Pod> {
    await this.#lab.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name: 'web' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: this.#spec(image) } },
    })
    return await this.ofDeployment(namespace)
  }

  /** The pod of the Deployment, which is another than `before`. */
  async ofDeployment(namespace: string, before?: Pod): Promise<Pod> {
    return await eventually(async () => {
      const query = { labelSelector: `app=${labels.app}` }
      const { items } = await this.#lab.client.get<KubeList<Pod>>(podsPath(namespace), { query })
      const [pod = null, ...others] = items ?? []
      return others.length === 0 && pod?.metadata.uid !== before?.metadata.uid && pod
    })
  }

  /** Waits until its container runs; fails when it is another pod by then. */
  async running(pod: Pod): Promise<Pod> {
    return await this.#when(pod, 'runs', ({ state }) => state.running !== undefined)
  }

  /** Waits until the kubelet says why its container does not run, in these words. */
  async waiting(pod: Pod, words: RegExp): Promise<void> {
    await this.#when(pod, `waits: ${words}`, ({ state: { waiting } }) =>
      words.test(`${waiting?.reason}: ${waiting?.message}`),
    )
  }

  /** Waits until new pods of the namespace get the reference of its ServiceAccount, of which admission hears a moment later. */
  async inherit(namespace: string): Promise<void> {
    const query = { dryRun: 'All' }
    const probe = { metadata: { name: 'probe' }, spec: this.#spec('example.com/probe') }
    await eventually(async () => {
      const pod = await this.#lab.client.create<Pod>(podsPath(namespace), probe, { fieldManager: 'test', query })
      return namesOf(pod).includes('regcred')
    })
  }

  /** Deletes it, and waits until it is gone. */
  async remove({ metadata: { namespace = '', name } }: Pod): Promise<void> {
    await this.#lab.cluster.kubectl('delete', 'pod', name, '--namespace', namespace)
  }

  async #when(pod: Pod, what: string, holds: (status: ContainerStatus) => boolean): Promise<Pod> {
    const { namespace = '', name, uid } = pod.metadata
    return await eventually(
      async () => {
        const now = await this.#lab.client.get<Pod>(`${podsPath(namespace)}/${name}`)
        const [status] = now.status.containerStatuses ?? []
        if (now.metadata.uid === uid && status !== undefined && holds(status)) return now
        throw new Error(JSON.stringify([now.metadata.uid, uid, now.status]))
      },
      // The kubelet's third attempt at an image comes after 35 s, its fourth after 78 s.
      { describe: `that pod ${name} ${what}`, timeoutMs: 250_000 },
    )
  }

  #spec(image: string, { pullSecrets, pullAlways = false, ownNetwork = false }: PodOptions = {}) {
    return {
      nodeName,
      hostNetwork: !ownNetwork,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'app', image, ...(pullAlways && { imagePullPolicy: 'Always' }) }],
      ...(pullSecrets && { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
    }
  }
}
