/** What the source of a credential will give, where it is a Secret: from the documents, else from the cluster. */
import { isDeepStrictEqual } from 'node:util'
import type { ObservedCredential } from '../../controller/observe.ts'
import { secretPath } from '../../controller/secret-writer.ts'
import { ApiError, isConflict, isForbidden, isNotFound } from '../../kube/api-error.ts'
import type { KubeObject } from '../../kube/objects.ts'
import type { Credential } from '../../model/credential.ts'
import { encodeBase64 } from '../../model/docker-config.ts'
import type { SourceSecret } from '../../model/source-secret.ts'
import type { Connection } from '../connection.ts'
import { Problem } from '../problem.ts'
import { tryRead } from '../reads.ts'
import type { Source } from './contents.ts'
import type { Manifest } from './documents.ts'
import { dryRun } from './dry-run.ts'

type Secret = KubeObject & Partial<SourceSecret>

/** A Secret of the documents in the operator's namespace, as it will be. */
export interface SecretAfter {
  object: Secret
  source: Source & { state: 'read' }
}

/** By name. @throws ApiError; Problem where the API server would refuse one */
export async function secretsAfter(
  { client, operatorNamespace }: Connection,
  documents: readonly Manifest[],
): Promise<Map<string, SecretAfter>> {
  const own = documents.filter(({ metadata }) => metadata.namespace === operatorNamespace)
  const found = new Map<string, SecretAfter>()
  for (const manifest of own) {
    const { name } = manifest.metadata
    try {
      const { before, after } = await dryRun(client, secretPath(operatorNamespace, name), manifest)
      found.set(name, secretAfter(before, after))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // It is taken as it stands there by who may not ask, or where its namespace comes with it.
      if (isForbidden(error) || isNotFound(error)) found.set(name, secretAfter(undefined, ofDocument(manifest)))
      else if (isConflict(error)) throw error
      else throw refusal(name, error)
    }
  }
  return found
}

/** @returns undefined where nothing of what it gives changes, and nothing was read */
export async function readSource(
  { client, operatorNamespace }: Connection,
  documents: ReadonlyMap<string, SecretAfter>,
  before: ObservedCredential | undefined,
  after: Credential,
): Promise<Source | undefined> {
  const name = after.source.secretRef?.name
  const document = documents.get(name ?? '')
  const isSame =
    before?.status?.credential &&
    isDeepStrictEqual([before.source, before.registries], [after.source, after.registries]) &&
    !document
  if (isSame || after.deleting) return undefined
  if (name === undefined) return { state: 'unknown' }
  if (document) return document.source
  const live = await tryRead(client.get<Secret>(secretPath(operatorNamespace, name)))
  if (live.state === 'forbidden') return { state: 'unknown' }
  if (live.state === 'missing') return live
  return { state: 'read', secret: sourceOf(live.value), isNew: false }
}

/** Which fields are wrong: the API server's words may quote what is in them. */
function refusal(name: string, { code, reason, causes }: ApiError): Problem {
  const fields = causes.map(({ field }) => field).filter((field) => field !== '')
  const where = fields.length > 0 ? `: ${fields.join(', ')}` : ''
  return new Problem(
    `the API server refuses Secret ${name} (${reason || code}${where}); kubectl apply --dry-run=server tells more`,
  )
}

function secretAfter(before: Secret | undefined, after: Secret): SecretAfter {
  return {
    object: after,
    source: { state: 'read', secret: sourceOf(after), isNew: !isDeepStrictEqual(before?.data, after.data) },
  }
}

function sourceOf({ type = 'Opaque', data = {} }: Secret): SourceSecret {
  return { type, data }
}

/** Without the API server. */
function ofDocument(manifest: Manifest): Secret {
  const { metadata, type, data, stringData } = manifest as Manifest &
    Partial<SourceSecret> & { stringData?: Record<string, string> }
  const texts = Object.entries(stringData ?? {}).map(([key, text]) => [key, encodeBase64(text)])
  return {
    metadata: { ...metadata, uid: '', resourceVersion: '' },
    ...(type !== undefined && { type }),
    data: { ...data, ...Object.fromEntries(texts) },
  }
}
