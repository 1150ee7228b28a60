/**
 * Which resource a request to the API server is about, told from its URL. Used as a metric label, so the answer has few
 * values: names and namespaces never show.
 */

/**
 * `/api/v1` or `/apis/GROUP/VERSION`, then `[/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE]]`, with or without a host in front.
 * As in apiserver `pkg/endpoints/request/requestinfo.go` `/namespaces/NS/status` is of the namespace itself. One expression,
 * since every request of a rotation comes by here.
 */
const grammar = new RegExp(
  [
    '^(?:https?://[^/?]*)?/(?:api|apis/[^/?]+)/[^/?]+',
    '(?:/namespaces/[^/?]+(?=/[^/?])(?!/(?:status|finalize)(?:[/?]|$)))?',
    '/(?<plural>[a-z]{1,63})(?=[/?]|$)(?:/[^/?]+(?:/(?<sub>status|token|scale|finalize|eviction|log)(?=[/?]|$))?)?',
  ].join(''),
)

/** Plural name, with the subresource where there is one (`registrycredentials/status`); "other" outside of /api and /apis. */
export function resourceOf(url: string): string {
  const { plural = 'other', sub } = grammar.exec(url)?.groups ?? {}
  return sub ? `${plural}/${sub}` : plural
}
