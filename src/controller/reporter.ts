/** What people get to read: Events, and errors as problems for the status. Everything is redacted on its way out. */
import { credentialKind, groupVersion } from '../api/names.ts'
import { ApiError } from '../kube/api-error.ts'
import type { EventRecorder } from '../kube/events.ts'
import type { Credential } from '../model/credential.ts'
import type { CredentialState } from '../model/desired.ts'
import type { ObservedSecret } from '../model/observed.ts'
import type { Problem } from '../model/outcome.ts'
import type { ObservedPod } from '../model/stuck-pod.ts'
import { OverruledError } from './service-account-writer.ts'

const maxMessageLength = 400

export class Reporter {
  readonly #events: EventRecorder
  readonly #redact: (text: string) => string

  constructor(events: EventRecorder, redact: (text: string) => string) {
    this.#events = events
    this.#redact = redact
  }

  problemOf(error: unknown): Problem {
    const known = error instanceof ApiError || error instanceof OverruledError
    const reason = known && error.reason !== '' ? error.reason : 'Error'
    const message = this.#redact(error instanceof Error ? error.message : 'unknown error')
    return {
      reason,
      message: message.length > maxMessageLength ? `${message.slice(0, maxMessageLength - 1)}…` : message,
    }
  }

  /** An Event on the credential. */
  about(credential: Credential, type: 'Normal' | 'Warning', reason: string, action: string, note: string): void {
    const { name, uid } = credential
    this.#events.record({
      regarding: { apiVersion: groupVersion, kind: credentialKind, name, uid },
      type,
      reason,
      action,
      note: this.#redact(note),
    })
  }

  /** An Event on a pod. */
  aboutPod(pod: ObservedPod, type: 'Normal' | 'Warning', reason: string, action: string, note: string): void {
    const { namespace, name, uid } = pod
    this.#events.record({
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      type,
      reason,
      action,
      note: this.#redact(note),
    })
  }

  /** A Secret that is not ours stands where one of ours should be: told to its owner, and to those of the credentials. */
  notOwned({ namespace, name, uid }: ObservedSecret, credentials: readonly CredentialState[]): void {
    this.#events.record({
      regarding: { apiVersion: 'v1', kind: 'Secret', namespace, name, uid },
      type: 'Warning',
      reason: 'NotOwned',
      action: 'WriteSecret',
      note:
        `RegistryCredential ${credentials.map(({ credential }) => credential.name).join(', ')} is meant for this namespace, ` +
        `but Secret ${name} is not managed by the operator and is left alone. Delete it, or, if it is of type kubernetes.io/dockerconfigjson, annotate it regcred.dev/adopt=true.`,
    })
    for (const { credential } of credentials) {
      const note = `Secret ${namespace}/${name} is not managed by the operator and is left alone.`
      this.about(credential, 'Warning', 'NotOwned', 'WriteSecret', note)
    }
  }
}
