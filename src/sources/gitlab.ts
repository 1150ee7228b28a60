/**
 * `source.gitlab`: a deploy token, made for each refresh; those before it are revoked when they are not in use any more.
 * The API: GitLab `doc/api/deploy_tokens.md`. The name of a token tells whose it is, so one that was made just before a
 * crash is found too.
 */
import { endpointOf } from './endpoint.ts'
import { readToken } from './identity.ts'
import { askIssuer, askIssuerForList, deleteAtIssuer, textOf, unusable } from './issuer.ts'
import type { Source, SourceContext, SpecOf } from './source.ts'

type Spec = SpecOf<'gitlab'>

const dayMs = 24 * 60 * 60 * 1000
/** Of 100 tokens each: more than anybody has, and an end for a server that always names a next one. */
const maxPages = 100

export const gitlab: Source<'gitlab'> = {
  async issue(spec, context, signal) {
    const { url, check, headers } = await apiOf(spec, context)
    // GitLab knows days only, and ends a token at the beginning of the one it is given (UTC).
    const lastDay = new Date(Date.now() + spec.lifetimeDays * dayMs).toISOString().slice(0, 10)
    const wanted = { name: nameOf(context), scopes: ['read_registry'], expires_at: lastDay }
    const init = { method: 'POST', headers, body: JSON.stringify(wanted), signal }
    const answer = await askIssuer(context.fetch, url, init, check)
    const password = textOf(answer, 'token', url.host)
    context.conceal(password)
    const expiresAt = new Date(textOf(answer, 'expires_at', url.host))
    if (Number.isNaN(expiresAt.getTime())) throw unusable(url.host, 'has an expires_at that is no time')
    return {
      given: { entries: new Map([[spec.registry, { username: textOf(answer, 'username', url.host), password }]]) },
      expiresAt,
      handle: { id: idOf(answer, url.host) },
    }
  },

  async retire(spec, keep, context, signal) {
    const { url, check, headers } = await apiOf(spec, context)
    const init = { headers, signal }
    // All pages first: a deletion would move what is on the next ones.
    const ours: number[] = []
    for (let page = '1', count = 0; page !== '' && count < maxPages; count++) {
      const at = new URL(`?per_page=100&page=${encodeURIComponent(page)}`, url)
      const answer = await askIssuerForList(context.fetch, at, init, check)
      const named = answer.items.filter(({ name }) => name === nameOf(context))
      ours.push(...named.map((token) => idOf(token, url.host)))
      page = answer.headers.get('x-next-page') ?? ''
    }
    for (const id of ours.filter((id) => id !== keep?.id)) {
      await deleteAtIssuer(context.fetch, endpointOf(url.href, String(id)), init, check)
    }
  },
}

/** The collection of deploy tokens, what to look at when it refuses, and what gives access to it. */
async function apiOf({ url, project, group, secretRef }: Spec, context: SourceContext) {
  const token = await readToken(context, secretRef.name)
  const [collection, name] = project === undefined ? ['group', group ?? ''] : ['project', project]
  return {
    url: endpointOf(url, `api/v4/${collection}s/${encodeURIComponent(name)}/deploy_tokens`),
    check: `source.gitlab.${collection}, and the role and scope of the token in Secret ${secretRef.name}`,
    headers: { 'content-type': 'application/json', 'private-token': token },
  }
}

function nameOf({ credential: { name, uid } }: SourceContext): string {
  return `regcred-${name}-${uid}`
}

function idOf({ id }: Record<string, unknown>, issuer: string): number {
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw unusable(issuer, 'has no id of the token')
  return id
}
