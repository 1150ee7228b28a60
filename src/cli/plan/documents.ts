/** The documents of a file that a plan is for. Errors name the document and never quote it: it may be a Secret. */
import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import { credentialKind, groupVersion } from '../../api/names.ts'
import { isObjectName } from '../object-name.ts'

/** An object as somebody wrote it. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; [field: string]: unknown }
  [field: string]: unknown
}

export interface Documents {
  credentials: Manifest[]
  namespaces: Manifest[]
  serviceAccounts: Manifest[]
  secrets: Manifest[]
  /** `Deployment/web`, which change nothing of credentials. */
  ignored: string[]
}

/** Why a file cannot be planned for. */
export class DocumentProblem extends Error {
  override name = 'DocumentProblem'
}

const kinds: Readonly<Record<string, Exclude<keyof Documents, 'ignored'>>> = {
  [`${groupVersion} ${credentialKind}`]: 'credentials',
  'v1 Namespace': 'namespaces',
  'v1 ServiceAccount': 'serviceAccounts',
  'v1 Secret': 'secrets',
}

/**
 * YAML or JSON, of any number of documents and lists.
 * @param source what the text is called in errors
 * @throws DocumentProblem
 */
export function readDocuments(text: string, source: string): Documents {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  const documents: Documents = { credentials: [], namespaces: [], serviceAccounts: [], secrets: [], ignored: [] }
  if (!Array.isArray(parsed)) return documents // the text is empty
  for (const [index, document] of parsed.entries()) {
    const [error] = document.errors
    if (error) {
      const { line, col } = lines.linePos(error.pos[0])
      throw new DocumentProblem(`${source}:${line}:${col}: this is not YAML (${error.code})`)
    }
    const where = `${source}: document ${index + 1}`
    for (const object of itemsOf(contentOf(document, where))) sort(object, where, documents)
  }
  return documents
}

/** @throws DocumentProblem where an alias leads nowhere, or to more than anybody writes */
function contentOf(document: Document, where: string): unknown {
  try {
    return document.toJS()
  } catch {
    throw new DocumentProblem(`${where} has an alias (*) that leads nowhere, or to too much`)
  }
}

/** Of a `List`, as `kubectl get -o yaml` writes it, what is in it. */
function itemsOf(object: unknown): unknown[] {
  if (object === null || object === undefined) return []
  const { kind, items } = object as { kind?: unknown; items?: unknown }
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : [object]
}

function sort(object: unknown, where: string, documents: Documents): void {
  const { apiVersion, kind, metadata } = (object ?? {}) as Partial<Manifest>
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    throw new DocumentProblem(`${where} is no Kubernetes object: it has no apiVersion or no kind`)
  }
  if (typeof metadata?.name !== 'string') throw new DocumentProblem(`${where}: metadata.name of the ${kind} is missing`)
  const list = kinds[`${apiVersion} ${kind}`]
  if (list === undefined) {
    documents.ignored.push(`${kind}/${metadata.name}`)
    return
  }
  const { name, namespace } = metadata
  if (![name, namespace ?? name].every(isObjectName)) {
    throw new DocumentProblem(`${where}: the name of the ${kind}, or of its namespace, is not a name in Kubernetes`)
  }
  documents[list].push(object as Manifest)
}
