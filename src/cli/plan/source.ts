/** What the source of a credential will give, where it is a Secret: from the documents, else from the cluster. */
import { isDeepStrictEqual } from 'node:util'
import type { ObservedCredential } from '../../controller/observe.ts'
import { secretPath } from '../../controller/secret-writer.ts'
import type { KubeObject } from '../../kube/objects.ts'
import type { Credential } from '../../model/credential.ts'
import { encodeBase64 } from '../../model/docker-config.ts'
import type { SourceSecret } from '../../model/source-secret.ts'
import type { Connection } from '../connection.ts'
import { type Read, tryRead } from '../reads.ts'
import type { Source } from './contents.ts'
import type { Manifest } from './documents.ts'

/** @returns undefined where nothing of what it gives changes, and nothing was read */
export async function readSource(
  { client, operatorNamespace }: Connection,
  documents: readonly Manifest[],
  before: ObservedCredential | undefined,
  after: Credential,
): Promise<Source | undefined> {
  const name = after.source.secretRef?.name
  const document = documents.find(({ metadata }) => metadata.name === name && metadata.namespace === operatorNamespace)
  const isSame =
    before?.status?.credential &&
    isDeepStrictEqual([before.source, before.registries], [after.source, after.registries]) &&
    !document
  if (isSame || after.deleting) return undefined
  if (name === undefined) return { state: 'unknown' }
  const live = await tryRead(client.get<KubeObject & SourceSecret>(secretPath(operatorNamespace, name)))
  return document ? ofDocument(document, live) : ofCluster(live)
}

function ofDocument(manifest: Manifest, live: Read<SourceSecret>): Source {
  const {
    type = 'Opaque',
    data,
    stringData,
  } = manifest as Partial<SourceSecret> & { stringData?: Record<string, string> }
  const texts = Object.entries(stringData ?? {}).map(([key, text]) => [key, encodeBase64(text)])
  const secret = { type, data: { ...data, ...Object.fromEntries(texts) } }
  return { state: 'read', secret, isNew: live.state !== 'read' || !isDeepStrictEqual(live.value.data, secret.data) }
}

function ofCluster(live: Read<SourceSecret>): Source {
  if (live.state === 'forbidden') return { state: 'unknown' }
  if (live.state === 'missing') return { state: 'missing' }
  const { type, data = {} } = live.value
  return { state: 'read', secret: { type, data }, isNew: false }
}
