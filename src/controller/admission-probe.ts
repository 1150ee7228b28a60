/**
 * Whether the admission policies of `config/admission` act on this cluster, found out without any right on admission
 * objects: a dry run asks the API server what would become of a ServiceAccount without our entry, and an entry that is
 * in the answer was put there by the policy. Asked only after the operator had to add an entry itself, once in a while.
 */
import { fieldManager } from '../api/names.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Credential } from '../model/credential.ts'
import type { ObservedServiceAccount } from '../model/observed.ts'
import { selectsNamespace, selectsServiceAccount } from '../model/selection.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Caches } from './caches.ts'
import type { CredentialStates } from './credential-states.ts'
import { observeServiceAccount } from './observe.ts'
import type { Reporter } from './reporter.ts'
import { entriesOf, serviceAccountPath } from './service-account-writer.ts'

export interface AdmissionProbeParts {
  client: KubeClient
  caches: Pick<Caches, 'namespaces' | 'serviceAccounts'>
  credentials: CredentialStates
  reporter: Reporter
  log: Logger
  /** What was found; for metrics. */
  found(acts: boolean): void
  /** Ends it. */
  signal: AbortSignal
}

/**
 * Milliseconds from the first entry to the question: after a restart of the API server policies whose parameters are
 * custom resources see nothing for up to 31 seconds.
 */
const settleMs = 45_000
/** Milliseconds between questions. */
const intervalMs = 600_000

const admissionApi = '/apis/admissionregistration.k8s.io/v1'

export class AdmissionProbe {
  readonly #parts: AdmissionProbeParts
  #timer: NodeJS.Timeout | undefined
  #asked = Number.NEGATIVE_INFINITY
  #acts: boolean | undefined
  /** Credentials that were told that their `spec.pods` has no effect, by uid. */
  readonly #told = new Set<string>()

  constructor(parts: AdmissionProbeParts) {
    this.#parts = parts
    parts.signal.addEventListener('abort', () => clearTimeout(this.#timer))
  }

  /** The operator has added this entry itself. */
  linked(namespace: string, serviceAccount: string, secretName: string): void {
    if (this.#timer !== undefined || performance.now() < this.#asked + intervalMs || this.#parts.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.ask(namespace, serviceAccount, secretName).catch((error: unknown) => {
        this.#parts.log.debug('whether the admission policies act could not be found out', { error })
      })
    }, settleMs)
    this.#timer.unref()
  }

  /** @throws ApiError, for instance where a webhook does not take dry runs */
  async ask(namespace: string, name: string, secretName: string): Promise<void> {
    const { caches, client } = this.#parts
    const serviceAccount = caches.serviceAccounts.get(namespace, name)
    if (!serviceAccount?.pullSecrets.includes(secretName)) return
    const wanted = this.#living().some(
      (credential) => credential.secretName === secretName && this.#selects(credential, namespace, serviceAccount),
    )
    if (!wanted) return // then a policy would not add it either
    this.#asked = performance.now()
    const imagePullSecrets = entriesOf(serviceAccount.pullSecrets.filter((each) => each !== secretName))
    const options = { fieldManager, query: { dryRun: 'All' } }
    const answer = await client.mergePatch<KubeObject>(
      serviceAccountPath(namespace, name),
      { imagePullSecrets },
      options,
    )
    await this.#learn(observeServiceAccount(answer).pullSecrets.includes(secretName))
  }

  async #learn(acts: boolean): Promise<void> {
    const { found, log } = this.#parts
    const cure = acts ? undefined : await this.#cure()
    const before = this.#acts
    this.#acts = acts
    found(acts)
    if (cure === undefined) {
      this.#told.clear()
      if (before !== true) log.info('the admission policies of config/admission act')
      return
    }
    const living = this.#living()
    if (before !== false) {
      log.info(`the admission policies do not act: ${cure}`)
      const note = `The admission policies do not act on this cluster. So a pod that is created before its ServiceAccount is patched does not get the Secret, and a sync that sets imagePullSecrets takes it away until it is repaired; ${cure}.`
      if (living[0]) this.#tell(living[0], 'Normal', note)
    }
    for (const credential of living) {
      if (credential.pods !== 'AddToOwnList' || this.#told.has(credential.uid)) continue
      this.#told.add(credential.uid)
      const note = `spec.pods AddToOwnList has no effect, since the admission policies do not act on this cluster; ${cure}.`
      this.#tell(credential, 'Warning', note)
    }
  }

  #living(): Credential[] {
    const active = this.#parts.credentials.all().filter(({ credential, frozen }) => !credential.deleting && !frozen)
    return active.map(({ credential }) => credential)
  }

  #selects(credential: Credential, namespace: string, serviceAccount: ObservedServiceAccount): boolean {
    const observed = this.#parts.caches.namespaces.get('', namespace)
    return (
      observed !== undefined &&
      selectsNamespace(credential, observed) &&
      selectsServiceAccount(credential, serviceAccount)
    )
  }

  #tell(credential: Credential, type: 'Normal' | 'Warning', note: string): void {
    this.#parts.reporter.about(credential, type, 'AdmissionPoliciesMissing', 'AskForAdmission', note)
  }

  async #cure(): Promise<string> {
    const { resources } = await this.#parts.client.get<{ resources: { name: string }[] }>(admissionApi)
    const served = resources.some(({ name }) => name === 'mutatingadmissionpolicies')
    return served
      ? 'install them (config/admission; Helm: admissionPolicies.enabled)'
      : 'they need Kubernetes 1.36 or later (MutatingAdmissionPolicy)'
  }
}
