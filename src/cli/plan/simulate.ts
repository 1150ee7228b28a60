/**
 * What the namespace loop (controller/namespace-loop.ts) would do in one namespace, in its order and by the same rules of
 * the model, without doing it.
 */
import type { CredentialRecord } from '../../controller/credential-states.ts'
import { CredentialStates } from '../../controller/credential-states.ts'
import { claimsOf } from '../../controller/marks.ts'
import { type Payload, Payloads } from '../../controller/payloads.ts'
import { blame, tooManyPullSecrets } from '../../model/blame.ts'
import { type CredentialState, desiredSecret } from '../../model/desired.ts'
import { decodeBase64, type Entries, parseDockerConfigJson } from '../../model/docker-config.ts'
import { isFull, linkChange } from '../../model/link-change.ts'
import { linksOf } from '../../model/links.ts'
import type { ObservedServiceAccount, RecognizedSecret } from '../../model/observed.ts'
import type { Problem } from '../../model/outcome.ts'
import { asSource, type SecretChange, secretChange } from '../../model/secret-change.ts'
import { type Namespace, selectsServiceAccount } from '../../model/selection.ts'
import { type CountLinks, outcomeOf, type Target } from '../../model/target.ts'

/** All that the loop looks at. */
export interface World {
  states: readonly CredentialState[]
  namespaces: readonly Namespace[]
  /** By namespace. */
  serviceAccounts: ReadonlyMap<string, readonly ObservedServiceAccount[]>
  /** By `secretKey`. */
  secrets: ReadonlyMap<string, RecognizedSecret>
  /** The Secret names that the installation may write. */
  secretNames: readonly string[]
  operatorNamespace: string
}

export interface SecretStep {
  name: string
  change: SecretChange
  /** What is in it afterwards, in entries that stand for the real ones (known-state.ts); undefined: nothing of ours. */
  entries: Entries | undefined
}

export interface LinkStep {
  serviceAccount: string
  added: readonly string[]
  removed: readonly string[]
  /** They stay, and are not ours any more. */
  released: readonly string[]
}

export interface Steps {
  namespace: string
  secrets: readonly SecretStep[]
  links: readonly LinkStep[]
  /** Credential → what stands in its way here, and is for somebody to mend. */
  problems: ReadonlyMap<string, Problem>
}

export function secretKey(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** @param earlier what was in the Secrets of the namespace before: a Secret whose content stays is not written */
export function simulate(world: World, namespace: Namespace, earlier?: Steps): Steps {
  const { states, serviceAccounts } = world
  const none: Steps = { namespace: namespace.name, secrets: [], links: [], problems: new Map() }
  if (namespace.terminating) return none
  const payloads = new Payloads((text) => text)
  const contents = new Map(earlier?.secrets.map(({ name, entries }) => [name, entries]))
  const targets = world.secretNames.map((name) => {
    const before = earlier ? { entries: contents.get(name) } : undefined
    return targetOf(world, namespace, name, payloads, before)
  })

  const links: LinkStep[] = []
  const staying = (serviceAccounts.get(namespace.name) ?? []).filter(({ deleting }) => !deleting)
  for (const serviceAccount of staying) {
    const links_ = linksOf(serviceAccount, namespace, targets, states)
    const change = serviceAccount.tooMany ? undefined : linkChange(serviceAccount, links_)
    if (change) links.push(linkStep(serviceAccount, change))
    if (isFull(serviceAccount)) blame(tooManyPullSecrets, serviceAccount, targets)
  }

  const secrets = targets.map(({ desired: { name }, change, stuck, failure, wanted }) => {
    const isTakenAway = change === 'delete' || change === 'release'
    const entries = wanted && entriesOf(wanted)
    return { name, change: isTakenAway && (stuck || failure) ? ('none' as const) : change, entries }
  })
  const problems = new Map<string, Problem>()
  for (const state of states) {
    const problem = outcomeOf(state, namespace, targets, countLinks(staying))?.failure
    if (problem) problems.set(state.credential.name, problem)
  }
  return { ...none, secrets, links, problems }
}

interface TargetWithContent extends Target {
  wanted: (NonNullable<Target['wanted']> & Payload) | undefined
}

/** After what is to be written was written. */
function targetOf(
  world: World,
  namespace: Namespace,
  name: string,
  payloads: Payloads,
  before: { entries: Entries | undefined } | undefined,
): TargetWithContent {
  const secret = world.secrets.get(secretKey(namespace.name, name))
  const mayBeSource = secret !== undefined && recordsOf(world).mayBeSource(secret)
  const observed = secret && mayBeSource ? asSource(secret) : secret
  const desired = desiredSecret(name, namespace, world.states, observed)
  const payload = desired.state === 'present' ? payloads.of(desired.contributors) : undefined
  const wanted = payload && { ...payload, mark: markOf(payload, observed, before) }
  const change = secretChange(desired, observed, wanted)
  const isWritten = change === 'create' || change === 'update' || change === 'take'
  const available = isWritten || (observed?.ours === true && !observed.deleting)
  const nothing = { failure: undefined, stuck: undefined, contended: undefined }
  return { desired, observed, change, wanted, mayBeSource, isWritten, available, ...nothing }
}

/** The mark that is on the Secret where it would be made of the same, and one that is on none where it would not. */
function markOf(
  { madeOf, data }: Payload,
  observed: RecognizedSecret | undefined,
  before: { entries: Entries | undefined } | undefined,
): string {
  const uids = madeOf.map(({ credential }) => credential.uid).join()
  const isMadeOfThem = observed?.mark !== undefined && claimsOf(observed).join() === uids
  const isSame = before === undefined || isEqual(before.entries, entriesIn(data))
  return isMadeOfThem && isSame ? (observed.mark ?? '') : 'another'
}

function linkStep(
  { name, pullSecrets, managed }: ObservedServiceAccount,
  change: { pullSecrets: readonly string[]; managed: readonly string[] },
): LinkStep {
  return {
    serviceAccount: name,
    added: change.pullSecrets.filter((each) => !pullSecrets.includes(each)),
    removed: pullSecrets.filter((each) => !change.pullSecrets.includes(each)),
    released: managed.filter((each) => change.pullSecrets.includes(each) && !change.managed.includes(each)),
  }
}

function countLinks(serviceAccounts: readonly ObservedServiceAccount[]): CountLinks {
  return (credential, secretName) => {
    const selected = serviceAccounts.filter((each) => selectsServiceAccount(credential, each))
    const linked = selected.filter(({ pullSecrets }) => pullSecrets.includes(secretName))
    return { selected: selected.length, linked: linked.length }
  }
}

const records = new WeakMap<readonly CredentialState[], CredentialStates>()

/** Which knows what may be the source of a credential. */
function recordsOf({ states, operatorNamespace }: World): CredentialStates {
  const known = records.get(states)
  if (known) return known
  const made = new CredentialStates(operatorNamespace)
  for (const state of states) made.set({ ...state, ...nothingElse })
  records.set(states, made)
  return made
}

const nothingElse: Omit<CredentialRecord, keyof CredentialState> = {
  problem: undefined,
  refreshFailure: undefined,
  isOutdated: false,
  material: undefined,
  check: undefined,
}

function entriesOf({ data }: Payload): Entries {
  return entriesIn(data)
}

function entriesIn(data: string): Entries {
  return parseDockerConfigJson(decodeBase64(data) ?? '')
}

function isEqual(a: Entries | undefined, b: Entries): boolean {
  return a !== undefined && JSON.stringify([...a]) === JSON.stringify([...b])
}
