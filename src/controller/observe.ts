/**
 * From API objects to the facts the model works with. All else of an object is dropped at once: what is not kept cannot
 * leak (`last-applied-configuration` holds Secret data in clear), and 10,000 namespaces stay small.
 */
import {
  adoptAnnotation,
  credentialKind,
  dockerConfigJsonKey,
  fieldManager,
  group,
  managedAnnotation,
  managedByLabel,
  managedByValue,
  markAnnotation,
  optOutKey,
  trustedKey,
  trustedManager,
} from '../api/names.ts'
import type { ManagedFields, ObjectMeta, OwnerReference } from '../api/object-meta.ts'
import type { RegistryCredential } from '../api/registry-credential.ts'
import type { KubeObject } from '../kube/objects.ts'
import { type Credential, interpret } from '../model/credential.ts'
import { maxPullSecrets, type ObservedSecret, type ObservedServiceAccount } from '../model/observed.ts'
import type { Namespace } from '../model/selection.ts'
import type { Status } from '../model/status.ts'
import { maxMarkLength } from './marks.ts'
import { sharedList, sharedText } from './shared.ts'

/** A credential with what the API writes on it need. */
export interface ObservedCredential extends Credential {
  resourceVersion: string
  finalizers: readonly string[]
  deletionTimestamp: string | undefined
  status: Status | undefined
}

const none: readonly never[] = Object.freeze([])

/** Secret names that the annotation of a ServiceAccount may hold. */
const maxManaged = 16
const maxNameLength = 253
const maxManagerLength = 64
const isName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

export function observeCredential(object: KubeObject): ObservedCredential {
  const { metadata } = object
  return {
    ...interpret(object as unknown as RegistryCredential),
    resourceVersion: metadata.resourceVersion,
    finalizers: metadata.finalizers ?? none,
    deletionTimestamp: metadata.deletionTimestamp,
    status: (object as unknown as RegistryCredential).status,
  }
}

export function observeNamespace({ metadata }: KubeObject): Namespace {
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    terminating: metadata.deletionTimestamp !== undefined,
  }
}

export function observeSecret({ metadata }: KubeObject): ObservedSecret {
  const annotations = metadata.annotations ?? {}
  const ownerReferences = metadata.ownerReferences ?? none
  const foreignOwners = ownerReferences.filter((owner) => !isCredential(owner))
  const writers = managersOf(metadata, 'f:data', `f:${dockerConfigJsonKey}`)
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    deleting: metadata.deletionTimestamp !== undefined,
    finalizers: metadata.finalizers ?? none,
    labelled: metadata.labels?.[managedByLabel] === managedByValue,
    mark: limited(annotations[markAnnotation], maxMarkLength),
    adoptable: annotations[adoptAnnotation] === 'true',
    owners: sharedList(ownerReferences.filter(isCredential).map(({ uid }) => uid)),
    foreignOwners: foreignOwners.length > 0 ? foreignOwners : none,
    // A write of the data by anybody else takes the field from our entries in managedFields, whatever its value.
    dataIsOurs: writers.includes(fieldManager),
    dataManager: otherThanUs(writers),
  }
}

export function observeServiceAccount(object: KubeObject): ObservedServiceAccount {
  const { metadata, imagePullSecrets } = object as KubeObject & { imagePullSecrets?: { name?: string }[] }
  const annotations = metadata.annotations ?? {}
  const tooMany = (imagePullSecrets?.length ?? 0) > maxPullSecrets
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    deleting: metadata.deletionTimestamp !== undefined,
    optedOut: annotations[optOutKey] === 'true',
    pullSecrets: imagePullSecrets && !tooMany ? sharedList(imagePullSecrets.map(({ name }) => name ?? '')) : none,
    listedAt: listedAt(metadata),
    tooMany,
    managed: managedOf(annotations[managedAnnotation]),
    listManager: otherThanUs(managersOf(metadata, 'f:imagePullSecrets')),
  }
}

/** Of writes of the list the API server keeps the last time; of a list that has never been written since there is none. */
function listedAt({ managedFields, creationTimestamp = '' }: ObjectMeta): number {
  const times = (managedFields ?? [])
    .filter(({ fieldsV1 }) => fieldsV1?.['f:imagePullSecrets'] !== undefined)
    .map(({ time = '' }) => Date.parse(time))
  return Math.max(Date.parse(creationTimestamp), ...times)
}

/** Space to JavaScript alone: the guard (config/guard) finds no name beside it, and would refuse what is done to one. */
const byteOrderMark = '\ufeff'

/** A few names at most: the annotation is anybody's, and this is kept in memory. */
function managedOf(annotation: string | undefined): readonly string[] {
  const names = limited(annotation, maxManaged * maxNameLength)?.split(',', maxManaged) ?? none
  const valid = names
    .filter((name) => !name.includes(byteOrderMark))
    .map((name) => name.trim())
    .filter((name) => name.length <= maxNameLength && isName.test(name))
  return sharedList(valid)
}

/** What we have not written is not kept: a part of it would keep the whole string alive. */
function limited(text: string | undefined, maxLength: number): string | undefined {
  return text !== undefined && text.length <= maxLength ? text : undefined
}

/** What the key of a list of trusted registries holds. */
export interface ObservedList {
  text: string
  /** Whom else than us managedFields name for the key, where they do; anybody's text, made plain. */
  manager: string | undefined
}

export function observeTrustedList(object: KubeObject): ObservedList {
  const { metadata, data } = object as KubeObject & { data?: Record<string, string> }
  const others = managersOf(metadata, 'f:data', `f:${trustedKey}`).filter((manager) => manager !== trustedManager)
  return { text: data?.[trustedKey] ?? '', manager: otherThanUs(others) }
}

/** Of a source Secret only its version: it is read when it has changed. */
export function observeSourceSecret({ metadata }: KubeObject): string {
  return metadata.resourceVersion
}

function isCredential({ kind, apiVersion }: OwnerReference): boolean {
  return kind === credentialKind && apiVersion.startsWith(`${group}/`)
}

/** The field managers that own a field, or one key of it. */
function managersOf({ managedFields = [] }: ObjectMeta, field: string, key?: string): string[] {
  const owns = ({ fieldsV1 }: ManagedFields) => {
    const owned = fieldsV1?.[field] as Record<string, unknown> | undefined
    return key === undefined ? owned !== undefined : owned?.[key] !== undefined
  }
  return managedFields.filter(owns).map(({ manager = '' }) => manager)
}

/** People get to read it. */
function otherThanUs(managers: readonly string[]): string | undefined {
  const other = managers.find((manager) => manager !== fieldManager && manager !== '')
  return other && sharedText(other.slice(0, maxManagerLength).replace(/[^\w.:@/-]/g, '_'))
}
