/** Short ways to the model's inputs, with the values that a test does not care about filled in. */
import { credentialKind, groupVersion } from '../../src/api/names.ts'
import type { OwnerReference } from '../../src/api/object-meta.ts'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import { type Credential, interpret } from '../../src/model/credential.ts'
import type { CredentialState } from '../../src/model/desired.ts'
import type { Entries } from '../../src/model/docker-config.ts'
import type { Labels } from '../../src/model/label-selector.ts'
import type { HeldLogin, Login } from '../../src/model/login.ts'
import type { Moment } from '../../src/model/moment.ts'
import type { ObservedServiceAccount, RecognizedSecret } from '../../src/model/observed.ts'
import type { Namespace } from '../../src/model/selection.ts'

export interface CredentialOptions {
  deleting?: boolean
  generation?: number
}

/** A credential for every namespace, unless the spec says otherwise. */
export function credential(
  name: string,
  spec: Partial<RegistryCredentialSpec> = {},
  { deleting = false, generation = 1 }: CredentialOptions = {},
): Credential {
  return interpret({
    metadata: {
      name,
      uid: uidOf(name),
      resourceVersion: '1',
      generation,
      ...(deleting && { deletionTimestamp: '2026-01-02T03:04:05Z' }),
    },
    spec: {
      secretName: 'regcred',
      source: { secretRef: { name: 'source' } },
      namespaces: { include: ['*'], optIn: true },
      serviceAccounts: ['default'],
      pods: 'Inherit',
      healPods: 'Report',
      priority: 0,
      suspend: false,
      deletionPolicy: 'Delete',
      refreshInterval: '1h',
      verify: { policy: 'Enforce' },
      ...spec,
    },
  })
}

export function state(
  of: Credential,
  { entries, frozen = of.suspended }: { entries?: Entries | undefined; frozen?: boolean } = {},
): CredentialState {
  return { credential: of, entries, frozen, version: 1 }
}

/** Given by a source that does not say when it ends. */
export function login(entries: Entries, of: Partial<Login> = {}): Login {
  return {
    entries,
    issuedAt: new Date('2026-01-02T03:04:05Z'),
    expiresAt: undefined,
    refreshAt: undefined,
    handle: undefined,
    source: undefined,
    issuedFor: 'hash',
    request: undefined,
    check: undefined,
    ...of,
  }
}

/** One that was got at a moment. */
export function held(entries: Entries, of: Partial<Login>, gotAt: Moment): HeldLogin {
  return { ...login(entries, of), gotAt }
}

export function uidOf(name: string): string {
  return `uid-of-${name}`
}

/** What a credential of this name leaves on the Secrets it feeds. */
export function owner(name: string): OwnerReference {
  return { apiVersion: groupVersion, kind: credentialKind, name, uid: uidOf(name) }
}

/** Somebody else's mark. */
export const foreignOwner: OwnerReference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'uid-web' }

/** A Secret with nothing of ours on it. */
export function secret(facts: Partial<RecognizedSecret> = {}): RecognizedSecret {
  return {
    namespace: 'team-a',
    name: 'regcred',
    uid: 'uid-of-secret',
    resourceVersion: '1',
    deleting: false,
    finalizers: [],
    labelled: false,
    mark: undefined,
    adoptable: false,
    owners: [],
    foreignOwners: [],
    dataIsOurs: false,
    dataManager: undefined,
    ours: false,
    madeOf: new Set(),
    proven: false,
    ...facts,
  }
}

/** A Secret as we wrote it, of the entries of these credentials. */
export function madeOf(...names: string[]): RecognizedSecret {
  const uids = names.map(uidOf)
  return secret({
    labelled: true,
    mark: 'mark',
    dataIsOurs: true,
    owners: uids,
    ours: true,
    madeOf: new Set(uids),
    proven: true,
  })
}

export function serviceAccount(facts: Partial<ObservedServiceAccount> = {}): ObservedServiceAccount {
  return {
    namespace: 'team-a',
    name: 'default',
    resourceVersion: '1',
    deleting: false,
    optedOut: false,
    pullSecrets: [],
    listedAt: 0,
    tooMany: false,
    managed: [],
    listManager: undefined,
    ...facts,
  }
}

export function namespace(name = 'team-a', labels: Labels = {}, terminating = false): Namespace {
  return { name, labels, terminating }
}

/** Entries whose username tells where they came from. */
export function entriesFor(credentialName: string, ...keys: string[]): Entries {
  return new Map(keys.map((key) => [key, { username: credentialName, password: `password of ${credentialName}` }]))
}
