/**
 * From API objects to the facts the model works with. All else of an object is dropped at once: what is not kept cannot
 * leak (`last-applied-configuration` holds Secret data in clear), and 10,000 namespaces stay small.
 */
import {
  adoptAnnotation,
  dockerConfigJsonKey,
  fieldManager,
  managedAnnotation,
  managedByLabel,
  managedByValue,
  markAnnotation,
  optOutKey,
} from '../api/names.ts'
import type { ObjectMeta } from '../api/object-meta.ts'
import type { RegistryCredential } from '../api/registry-credential.ts'
import type { KubeObject } from '../kube/objects.ts'
import { type Credential, interpret } from '../model/credential.ts'
import type { ObservedSecret, ObservedServiceAccount } from '../model/observed.ts'
import type { Namespace } from '../model/selection.ts'
import type { Status } from '../model/status.ts'
import { maxMarkLength } from './marks.ts'

/** A credential with what the API writes on it need. */
export interface ObservedCredential extends Credential {
  resourceVersion: string
  finalizers: readonly string[]
  deletionTimestamp: string | undefined
  status: Status | undefined
}

const none: readonly never[] = Object.freeze([])

const maxPullSecrets = 256

/** Secret names that the annotation of a ServiceAccount may hold. */
const maxManaged = 16
const maxNameLength = 253
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
    owners: metadata.ownerReferences ?? none,
    dataIsOurs: ownsData(metadata),
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
    pullSecrets: imagePullSecrets?.length && !tooMany ? imagePullSecrets.map(({ name }) => name ?? '') : none,
    listedAt: listedAt(metadata),
    tooMany,
    managed: managedOf(annotations[managedAnnotation]),
  }
}

/** Of writes of the list the API server keeps the last time; of a list that has never been written since there is none. */
function listedAt({ managedFields, creationTimestamp = '' }: ObjectMeta): number {
  const times = (managedFields ?? [])
    .filter(({ fieldsV1 }) => fieldsV1?.['f:imagePullSecrets'] !== undefined)
    .map(({ time = '' }) => Date.parse(time))
  return Math.max(Date.parse(creationTimestamp), ...times)
}

/** A few names at most: the annotation is anybody's, and this is kept in memory. */
function managedOf(annotation: string | undefined): readonly string[] {
  const names = limited(annotation, maxManaged * maxNameLength)?.split(',', maxManaged) ?? none
  const valid = names.map((name) => name.trim()).filter((name) => name.length <= maxNameLength && isName.test(name))
  return valid.length > 0 ? valid : none
}

/** What we have not written is not kept: a part of it would keep the whole string alive. */
function limited(text: string | undefined, maxLength: number): string | undefined {
  return text !== undefined && text.length <= maxLength ? text : undefined
}

/** Of a source Secret only its version: it is read when it has changed. */
export function observeSourceSecret({ metadata }: KubeObject): string {
  return metadata.resourceVersion
}

/** A write of the data by anybody else takes the field from our entries in managedFields, whatever its value. */
function ownsData({ managedFields }: ObjectMeta): boolean {
  return (managedFields ?? []).some(
    ({ manager, fieldsV1 }) =>
      manager === fieldManager &&
      (fieldsV1 as { 'f:data'?: Record<string, unknown> } | undefined)?.['f:data']?.[`f:${dockerConfigJsonKey}`] !==
        undefined,
  )
}
