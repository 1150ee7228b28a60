/** What is to be seen of every credential at the time of a scrape. All of it comes from the leader alone. */
import { Gauge, type Registry } from 'prom-client'

/** What is known of a credential and its login at the time of a scrape; undefined: not known. */
export interface CredentialGauge {
  credential: string
  issuedAt: Date | undefined
  expiresAt: Date | undefined
  /** No new login can be had, or the one that was had is refused. */
  failing: boolean
  /** Whether the registry takes the login; undefined also where it did not say. */
  verified: boolean | undefined
  /** How many there are in each state; each namespace is in one of them. */
  namespaces: Readonly<Record<string, number>>
  /** Namespaces where somebody keeps undoing what is written for it. */
  contended: number
  /** Pods that are stuck for want of it; undefined: nobody looks. */
  stuck: number | undefined
}

/** A value for each credential; where it is undefined there is no series. */
const gauges: readonly [name: string, help: string, value: (of: CredentialGauge) => number | undefined][] = [
  [
    'regcred_credential_expiry_timestamp_seconds',
    'When the login in use ends, where that is known.',
    ({ expiresAt }) => seconds(expiresAt),
  ],
  [
    'regcred_credential_issued_timestamp_seconds',
    'When the login in use was issued, or first had.',
    ({ issuedAt }) => seconds(issuedAt),
  ],
  [
    'regcred_credential_failing',
    '1 while no new login can be had, or the one that was had is refused, else 0.',
    ({ failing }) => Number(failing),
  ],
  [
    'regcred_credential_verified',
    '1 where the registry takes the login, 0 where it refuses it; not there where it is not asked, or did not say.',
    ({ verified }) => (verified === undefined ? undefined : Number(verified)),
  ],
  [
    'regcred_contended_namespaces',
    'Namespaces where somebody keeps undoing what is written for the credential.',
    ({ contended }) => contended,
  ],
  [
    'regcred_stuck_pods',
    'Pods that cannot pull an image that the credential is for; not there where nobody looks.',
    ({ stuck }) => stuck,
  ],
]

export class CredentialMetrics {
  #credentials: () => Iterable<CredentialGauge> = () => []
  readonly #gauges: readonly { gauge: Gauge; value: (of: CredentialGauge) => number | undefined }[]
  readonly #namespaces: Gauge

  constructor(registry: Registry) {
    const registers = [registry]
    this.#gauges = gauges.map(([name, help, value]) => ({
      gauge: new Gauge({ name, help, labelNames: ['credential'], registers }),
      value,
    }))
    this.#namespaces = new Gauge({
      name: 'regcred_namespaces',
      help: 'Namespaces that the credential selects or has to be taken out of, each in one state.',
      labelNames: ['credential', 'state'],
      registers,
    })
  }

  observe(credentials: () => Iterable<CredentialGauge>): void {
    this.#credentials = credentials
  }

  /** Has all say what is so now. */
  collect(): void {
    for (const { gauge } of this.#gauges) gauge.reset()
    this.#namespaces.reset()
    for (const each of this.#credentials()) {
      const { credential, namespaces } = each
      for (const { gauge, value } of this.#gauges) {
        const number = value(each)
        if (number !== undefined) gauge.set({ credential }, number)
      }
      for (const state in namespaces) this.#namespaces.set({ credential, state }, namespaces[state] ?? 0)
    }
  }
}

function seconds(time: Date | undefined): number | undefined {
  return time && time.getTime() / 1000
}
