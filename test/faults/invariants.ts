/**
 * What must hold at every moment, whatever breaks: in each version that an object has ever had, not only in the last one.
 * One function for all faults.
 */
import { dockerConfigJsonKey } from '../../src/api/names.ts'
import { loginsOf, type Secret, type ServiceAccount } from '../controller/lab.ts'
import type { Version } from './history.ts'
import { versionOf } from './logins.ts'
import { leftAloneName, type Phase, type Place } from './world.ts'

export interface Record {
  secrets: Version<Secret>[]
  serviceAccounts: Version<ServiceAccount>[]
  /** The revision at which each phase began, in order. */
  begun: { phase: Phase; revision: number }[]
}

const secretName = 'regcred'
/** A phase writes a Secret once for each of the two credentials, a list once. What may be done again is done again once. */
const maxWrites = { Secret: 4, ServiceAccount: 3 }

/** Empty when all is well; each complaint names the object and the revision. */
export function complaintsAbout(places: readonly Place[], record: Record): string[] {
  return places.flatMap(({ name, kind }) => {
    const secrets = record.secrets.filter((each) => each.namespace === name && each.name === secretName)
    const accounts = record.serviceAccounts.filter((each) => each.namespace === name)
    if (kind === 'foreign-secret' || kind === 'opted-out') {
      const touched = [...secrets, ...accounts.filter(namesOurs)]
      return touched.map(({ name: object, revision }) => `${name}/${object} was touched (${revision})`)
    }
    const leftAlone = accounts.filter((each) => each.name === leftAloneName && namesOurs(each))
    return [
      ...leftAlone.map(({ name: object, revision }) => `${name}/${object} was touched (${revision})`),
      ...aboutSecret(name, secrets, record.begun),
      ...[...groupBy(accounts)].flatMap(([account, versions]) => [
        ...aboutLists(`${name}/${account}`, versions, record.begun),
        ...danglingReferences(`${name}/${account}`, versions, secrets),
      ]),
    ]
  })
}

/** Whole logins only, none lost before the removal, none that was replaced comes back, nor a Secret that was taken away. */
function aboutSecret(namespace: string, versions: Version<Secret>[], begun: Record['begun']): string[] {
  const complaints = tooMany('Secret', namespace, versions, begun)
  /** Also of Secrets that were there before: what is made anew is made of what is given now. */
  const newest = new Map<string, number>()
  let before: Map<string, number> | undefined
  for (const { revision, object } of versions) {
    const where = `Secret ${namespace} (${revision})`
    const isRemoval = phaseAt(begun, revision) === 'removal'
    if (object === undefined) {
      if (!isRemoval) complaints.push(`${where} was deleted`)
      before = undefined
      continue
    }
    if (isRemoval && before === undefined) complaints.push(`${where} was made in the removal`)
    const logins = readLogins(object)
    if (logins === undefined) {
      complaints.push(`${where} is no docker config`)
      continue
    }
    const now = new Map<string, number>()
    for (const [registry, login] of Object.entries(logins)) {
      const version = versionOf(registry, login)
      if (version === undefined) complaints.push(`${where} has a login for ${registry} that nobody gave`)
      else now.set(registry, version)
    }
    for (const registry of before?.keys() ?? []) {
      if (!now.has(registry) && !isRemoval) complaints.push(`${where} has lost ${registry}`)
    }
    for (const [registry, version] of now) {
      const known = newest.get(registry) ?? version
      if (version < known) complaints.push(`${where} has the old login for ${registry} again`)
      newest.set(registry, Math.max(version, known))
    }
    before = now
  }
  return complaints
}

/** What others have in the list stays, in order; ours is there once at most, and stays until the removal. */
function aboutLists(where: string, versions: Version<ServiceAccount>[], begun: Record['begun']): string[] {
  const complaints = tooMany('ServiceAccount', where, versions, begun)
  for (const [index, { revision, object }] of versions.entries()) {
    const before = versions[index - 1]?.object
    const now = namesOf(object)
    if (now.filter((name) => name === secretName).length > 1) complaints.push(`${where} (${revision}) has ours twice`)
    if (object === undefined || before === undefined) continue
    const theirs = (names: string[]) => names.filter((name) => name !== secretName).join()
    const then = namesOf(before)
    if (theirs(now) !== theirs(then)) complaints.push(`${where} (${revision}) has lost an entry of others`)
    const isLost = then.includes(secretName) && !now.includes(secretName)
    if (isLost && phaseAt(begun, revision) !== 'removal') complaints.push(`${where} (${revision}) has lost ours`)
  }
  return complaints
}

/** Secret first, then the reference; off with the reference, then the Secret. */
function danglingReferences(where: string, accounts: Version<ServiceAccount>[], secrets: Version<Secret>[]): string[] {
  const order = [...accounts, ...secrets].sort((a, b) => a.revision - b.revision)
  let isThere = false
  let isNamed = false
  const complaints: string[] = []
  for (const version of order) {
    if (version.name === secretName) isThere = version.object !== undefined
    else isNamed = namesOurs(version as Version<ServiceAccount>)
    if (isNamed && !isThere) complaints.push(`${where} (${version.revision}) names a Secret that is not there`)
  }
  return complaints
}

function tooMany(kind: keyof typeof maxWrites, where: string, versions: Version[], begun: Record['begun']): string[] {
  return begun.flatMap(({ phase, revision: from }, index) => {
    const to = begun[index + 1]?.revision ?? Number.POSITIVE_INFINITY
    const writes = versions.filter(({ revision }) => revision >= from && revision < to).length
    return writes > maxWrites[kind] ? [`${kind} ${where} was written ${writes} times in the ${phase}`] : []
  })
}

function phaseAt(begun: Record['begun'], revision: number): Phase | undefined {
  return begun.findLast((each) => each.revision <= revision)?.phase
}

function readLogins(secret: Secret) {
  const keys = Object.keys(secret.data ?? {})
  if (secret.type !== 'kubernetes.io/dockerconfigjson' || keys.join() !== dockerConfigJsonKey) return undefined
  try {
    return loginsOf(secret)
  } catch {
    return undefined
  }
}

function namesOf(account: ServiceAccount | undefined): string[] {
  return (account?.imagePullSecrets ?? []).map(({ name = '' }) => name)
}

function namesOurs({ object }: Version<ServiceAccount>): boolean {
  return namesOf(object).includes(secretName)
}

function groupBy(versions: Version<ServiceAccount>[]): Map<string, Version<ServiceAccount>[]> {
  return Map.groupBy(versions, ({ name }) => name)
}
