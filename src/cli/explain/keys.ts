/** The logins that the kubelet tries for an image, in its order, and where each comes from. */
import type { ObservedCredential } from '../../controller/observe.ts'
import type { Entries } from '../../model/docker-config.ts'
import { keyMatchesImage, lookup, parseKey } from '../../model/keyring.ts'
import { merge } from '../../model/merge.ts'
import { canonicalKey, ownerFirst } from '../../model/registry-key.ts'
import { selectsNamespace } from '../../model/selection.ts'
import { contentInUse, knownState } from '../known-state.ts'
import { type Facts, pullSecretsOf, shownKey } from './facts.ts'

export interface Tried {
  /** Docker config key. */
  key: string
  secret: string
  /** Undefined: the Secret is not the operator's, or it cannot be told whose of it the entry is. */
  credential: string | undefined
  /** The Secret is not the operator's. */
  foreign: boolean
  /** By the status of the credentials, since the user may not read the Secret. */
  assumed: boolean
}

/** @param image normalised name without tag */
export function triedFor(facts: Facts, image: string): Tried[] {
  return lookup(
    (pullSecretsOf(facts) ?? []).map((name) => entriesIn(facts, name)),
    image,
  )
}

/** Whether the kubelet would use the login of the credential for an image, once it has one. */
export function covers(credential: ObservedCredential, image: string): boolean {
  return lookup([keysOf(credential).map((key) => [key, true] as const)], image).length > 0
}

/**
 * Whether an image that the credential has a login for is taken to be private: it is for a part of its registry, or the
 * registry is not one of those where everybody has images, most of them public.
 */
export function isPrivate(credential: ObservedCredential, image: string): boolean {
  const [registry = ''] = image.split('/', 1)
  return !ownerFirst.has(registry) || keysOf(credential).some((key) => isPath(key) && keyMatchesImage(key, image))
}

function isPath(key: string): boolean {
  return parseKey(key)?.path.replaceAll('/', '') !== ''
}

/** Those that it has, or would have. */
function keysOf({ status, registries = [] }: ObservedCredential): readonly string[] {
  return status?.credential?.registries ?? registries.map(canonicalKey)
}

/** Names in the list of which nothing is known. */
export function hiddenSecrets(facts: Facts): string[] {
  return (pullSecretsOf(facts) ?? []).filter(
    (name) => facts.secrets.get(name)?.state === 'hidden' && contributors(facts, name).length === 0,
  )
}

function entriesIn(facts: Facts, name: string): [string, Tried][] {
  const secret = facts.secrets.get(name)
  if (secret?.state === 'hidden') {
    const entries = mergedOf(contributors(facts, name))
    return [...entries].map(([key, { username }]) => [
      key,
      { key, secret: name, credential: username, foreign: false, assumed: true },
    ])
  }
  if (secret?.state !== 'read') return []
  const { ours, madeOf } = secret.secret
  const owning = facts.credentials?.filter(({ uid }) => ours && madeOf.has(uid)) ?? []
  const known = mergedOf(owning)
  const only = ours && secret.owners.length === 1 ? secret.owners[0] : undefined
  return secret.keys.map((key) => [
    key,
    { key: shownKey(key), secret: name, credential: known.get(key)?.username ?? only, foreign: !ours, assumed: false },
  ])
}

/** Those whose entries should be in the Secret here. */
function contributors({ credentials = [], namespace }: Facts, name: string): ObservedCredential[] {
  if (namespace === undefined) return []
  return credentials.filter((each) => each.secretName === name && !each.deleting && selectsNamespace(each, namespace))
}

/** What is in a Secret that these feed: keys, with the name of the credential for a user name. */
export function mergedOf(credentials: readonly ObservedCredential[]): Entries {
  const contributions = credentials.map((credential) => ({
    credential: credential.name,
    priority: credential.priority,
    entries: knownState(credential, contentInUse(credential), () => true).entries ?? new Map(),
  }))
  return merge(contributions, Number.POSITIVE_INFINITY).entries
}
