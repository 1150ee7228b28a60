/** What the tests of a credential's life have in common: one credential, its namespaces, and what is seen there. */
import { expect } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { credentialsPath } from '../../src/controller/watches.ts'
import { isNotFound } from '../../src/kube/api-error.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, type Login, serviceAccountPath, unverified } from './lab.ts'
import { isWrite, requestsSince } from './traffic.ts'

export const login: Login = { username: 'robot', password: 'p4ssw0rd-of-life' }
export const auths: Record<string, Login> = { 'ghcr.io': login }

export interface Expected {
  /** Default `regcred`. */
  secret?: string
  /** The ServiceAccount; default `default`. */
  account?: string
  /** Default `auths`. */
  logins?: Record<string, Login>
  /** Default ours alone. */
  references?: string[]
}

export class LifeCycleLab extends Lab {
  /** A credential with a source of its own, for these namespaces; waits until it is ready. */
  async credentialFor(
    name: string,
    namespaces: string[],
    spec: Partial<RegistryCredentialSpec> = {},
  ): Promise<{ credential: string; source: string }> {
    const source = await this.source(name, auths)
    const credential = await this.credential(name, {
      source: { secretRef: { name: source } },
      namespaces: { include: namespaces, optIn: true },
      ...spec,
    })
    await this.ready(credential)
    return { credential, source }
  }

  /** A namespace whose ServiceAccount refers to the Secret `own`. */
  async namespaceWithOwnReference(name: string): Promise<string> {
    const namespace = await this.namespace(name)
    await this.patch(serviceAccountPath(namespace), { imagePullSecrets: [{ name: 'own' }] })
    return namespace
  }

  async served(namespace: string, expected: Expected = {}): Promise<void> {
    const { secret = 'regcred', account = 'default', logins = auths, references = [secret] } = expected
    await eventually(
      async () => {
        expect(await this.logins(namespace, secret)).toEqual(logins)
        expect(await this.references(namespace, account)).toEqual(references)
      },
      { describe: `Secret ${secret} and its reference in ${namespace}` },
    )
  }

  /** Waits: between two runs of our operator that of another test file may act, which knows of fewer names. */
  async noSecret(namespace: string, name = 'regcred'): Promise<void> {
    await eventually(async () => expect(await this.secret(namespace, name)).toBeNull(), {
      describe: `no Secret ${name} in ${namespace}`,
    })
  }

  /** Waits until nothing of ours is in a namespace. */
  async clean(namespace: string, { secret = 'regcred', references = [] }: Expected = {}): Promise<void> {
    await eventually(
      async () => {
        expect(await this.secret(namespace, secret)).toBeNull()
        expect(await this.references(namespace)).toEqual(references)
        expect((await this.serviceAccount(namespace))?.metadata.annotations?.['regcred.dev/managed']).toBeUndefined()
      },
      { describe: `nothing of ours in ${namespace}` },
    )
  }

  /** Waits until the credential does not exist any more. */
  async gone(credential: string): Promise<void> {
    await this.#missing(`${credentialsPath}/${credential}`)
  }

  /** Waits until the status says that the credential is suspended. */
  async suspended(credential: string): Promise<void> {
    await eventually(async () => {
      const { status, metadata } = await this.readCredential(credential)
      const condition = { type: 'Ready', reason: 'Suspended', observedGeneration: metadata.generation }
      expect(status?.conditions).toContainEqual(expect.objectContaining(condition))
    })
  }

  /** Waits until a new credential is served, so that what was to come of earlier changes has come. */
  async allQuiet(name: string): Promise<void> {
    const namespace = await this.namespace(name)
    await this.credentialFor(name, [namespace])
    await this.served(namespace)
  }

  /** All that the operator has written or tried to write there since, Events included. */
  async writesTo(namespace: string, since: Date): Promise<string[]> {
    const requests = (await requestsSince(this.cluster, since)).filter(isWrite)
    return requests.filter((each) => each.namespace === namespace).map(({ verb, resource }) => `${verb} ${resource}`)
  }

  async setFinalizers(credential: string, finalizers: string[] | null): Promise<void> {
    await this.patch(`${credentialsPath}/${credential}`, { metadata: { finalizers } })
  }

  /** Creates a credential under a name that is perhaps still taken, as soon as it is free. */
  async createAgain(credential: string, spec: object): Promise<void> {
    const metadata = { name: credential }
    const object = {
      apiVersion: 'regcred.dev/v1',
      kind: 'RegistryCredential',
      metadata,
      spec: { ...unverified, ...spec },
    }
    await eventually(async () => void (await this.create(credentialsPath, object)), {
      describe: `${credential} created again`,
    })
  }

  /**
   * Makes an object that the garbage collector takes away when the credential is gone.
   * @returns waits for that: then the collector has looked at the other objects of the credential too
   */
  async bait(credential: string, namespace: string): Promise<() => Promise<void>> {
    const { uid } = (await this.readCredential(credential)).metadata
    const ownerReferences = [{ apiVersion: 'regcred.dev/v1', kind: 'RegistryCredential', name: credential, uid }]
    const path = `/api/v1/namespaces/${namespace}/configmaps`
    await this.create(path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bait', ownerReferences } })
    return () => this.#missing(`${path}/bait`)
  }

  async #missing(path: string): Promise<void> {
    const missing = () =>
      this.client.get(path).then(
        () => false,
        (error: unknown) => isNotFound(error),
      )
    await eventually(missing, { describe: `the end of ${path}` })
  }
}
