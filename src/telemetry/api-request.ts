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

const isWatch = /[?&]watch=(?:true|1)(?:&|$)/
/**
 * `/api/v1` or `/apis/GROUP/VERSION`, then `[/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE]]`, with or without a host in front.
 * As in apiserver `pkg/endpoints/request/requestinfo.go` `/namespaces/NS/status` is of the namespace itself. One expression,
 * since every request of a rotation comes by here.
 */
const grammar = new RegExp(
  [
    '^(?:https?://[^/?]*)?/(?:api|apis/[^/?]+)/[^/?]+',
    '(?:/namespaces/[^/?]+(?=/[^/?])(?!/(?:status|finalize)(?:[/?]|$)))?',
    '/(?<plural>[a-z]{1,63})(?=[/?]|$)(?:/(?<name>[^/?]+))?(?:/(?<sub>status|token|scale|finalize|eviction|log)(?=[/?]|$))?',
  ].join(''),
)

export function describeRequest(method: string, url: string): ApiRequest {
  const { plural = 'other', name, sub } = grammar.exec(url)?.groups ?? {}
  return { verb: verbOf(method.toUpperCase(), name !== undefined, url), resource: sub ? `${plural}/${sub}` : plural }
}

function verbOf(method: string, named: boolean, url: string): string {
  switch (method) {
    case 'GET':
      if (isWatch.test(url)) return 'watch'
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
