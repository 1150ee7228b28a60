/**
 * What a request to the API server does, told from its method and URL: the verb as RBAC names it, and the resource.
 * Used as metric labels, so the answer has few values: names and namespaces never show.
 */

export interface ApiRequest {
  /** get, list, watch, create, update, patch, delete, deletecollection, or other. */
  verb: string
  /** Plural name, with the subresource where there is one (`registrycredentials/status`); "other" outside of /api and /apis. */
  resource: string
}

const isWatch = /(?:^|&)watch=(?:true|1)(?:&|$)/
const SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'token', 'scale', 'finalize', 'eviction', 'log'])

/**
 * Reads method and path, with or without a host in front of it.
 * The grammar is that of apiserver `pkg/endpoints/request/requestinfo.go`:
 * `/api/v1` or `/apis/GROUP/VERSION`, then `[/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE]]`.
 */
export function describeRequest(method: string, url: string): ApiRequest {
  const [path = '', query = ''] = url.replace(/^https?:\/\/[^/]*/, '').split('?', 2)
  const [root, ...parts] = path.split('/').filter((part) => part !== '')
  const rest = root === 'api' ? parts.slice(1) : root === 'apis' ? parts.slice(2) : []
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 && !SUBRESOURCES.has(rest[2] ?? '')
  const [plural, name, sub] = inNamespace ? rest.slice(2) : rest
  const subresource = sub !== undefined && SUBRESOURCES.has(sub) ? `/${sub}` : ''
  const resource = plural !== undefined && /^[a-z]{1,63}$/.test(plural) ? plural + subresource : 'other'
  return { verb: verbOf(method.toUpperCase(), name !== undefined, query), resource }
}

function verbOf(method: string, named: boolean, query: string): string {
  switch (method) {
    case 'GET':
      if (isWatch.test(query)) return 'watch'
      return named ? 'get' : 'list'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return named ? 'delete' : 'deletecollection'
    default:
      return 'other'
  }
}
