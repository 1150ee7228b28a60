/**
 * Which Secrets are the operator's, as far as it can be told without its key (controller/ownership.ts has it): by the marks,
 * and by whom managedFields name for them. Somebody who may write Secrets in a namespace, and calls himself
 * `regcred-operator`, is believed here; the operator does not believe him.
 */
import { fieldManager, markAnnotation } from '../api/names.ts'
import { claimsOf } from '../controller/marks.ts'
import { observeSecret } from '../controller/observe.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Credential } from '../model/credential.ts'
import type { RecognizedSecret } from '../model/observed.ts'
import { isMarked } from '../model/secret-change.ts'
import { listAll } from './reads.ts'

/** `<hash>:<uid>,…:<signature>` */
const wellFormed = /^[0-9a-f]{32}:[^:]*:[0-9a-f]{32}$/

export function recognize(object: KubeObject): RecognizedSecret {
  const secret = observeSecret(object)
  // Who copies a Secret, marks and all, is named for the mark in its managedFields.
  const proven = wellFormed.test(secret.mark ?? '') && (secret.dataIsOurs || wroteMark(object))
  if (proven) return { ...secret, ours: true, madeOf: new Set(claimsOf(secret)), proven }
  const claims = [...claimsOf(secret), ...secret.owners]
  return { ...secret, ours: secret.dataIsOurs && isMarked(secret), madeOf: new Set(claims), proven }
}

/** Those of these names, by their metadata alone. @param type only those of it @throws ApiError, ConnectionError */
export async function listSecrets(
  client: KubeClient,
  path: string,
  names: readonly string[],
  type?: string,
): Promise<RecognizedSecret[]> {
  const ofType = type === undefined ? '' : `,type=${type}`
  const query = (name: string) => ({ fieldSelector: `metadata.name=${name}${ofType}` })
  const lists = names.map((name) => listAll(client, path, { query: query(name), metadata: true }))
  return (await Promise.all(lists)).flat().map(recognize)
}

/** Whether the login of a credential is in a namespace. */
export type HasLogin = (credential: Credential, namespace: string) => boolean

/** @param secrets those of the names that the credentials give to theirs */
export function loginsIn(secrets: readonly RecognizedSecret[]): HasLogin {
  const copies = new Map(secrets.map((each) => [`${each.namespace}/${each.name}`, each]))
  return ({ secretName, uid }, namespace) => {
    const copy = copies.get(`${namespace}/${secretName}`)
    return copy?.ours === true && copy.madeOf.has(uid)
  }
}

function wroteMark({ metadata: { managedFields = [] } }: KubeObject): boolean {
  return managedFields.some(({ manager, fieldsV1 }) => {
    const metadata = fieldsV1?.['f:metadata'] as Record<string, Record<string, unknown>> | undefined
    return manager === fieldManager && metadata?.['f:annotations']?.[`f:${markAnnotation}`] !== undefined
  })
}
