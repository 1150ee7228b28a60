/** GitLab's deploy tokens, as far as they are asked for, with the list of those that are alive. */
import type { Handler, IssuerRequest } from './issuer-server.ts'

interface Token {
  id: number
  name: string
  username: string
  expires_at: string
  scopes: string[]
  token: string
}

export class GitLab {
  readonly tokens: Token[] = []
  /** Each page of a list has this many, whatever is asked for. */
  pageSize = 100
  #lastId = 40

  /** @param path as in the URL @param made what to answer of a token, such as another end */
  handler(path: string, made: (token: Token) => Token = (token) => token): Handler {
    const collection = `/api/v4/${path}/deploy_tokens`
    return (request) => {
      if (!request.headers['private-token']) return { status: 401, body: { message: '401 Unauthorized' } }
      if (request.path === collection && request.method === 'POST') return this.#create(request, made)
      if (request.path === collection && request.method === 'GET') return this.#list(request)
      const id = request.method === 'DELETE' && Number(request.path.replace(`${collection}/`, ''))
      const index = this.tokens.findIndex((token) => token.id === id)
      if (index < 0) return { status: 404, body: { message: '404 Not Found' } }
      this.tokens.splice(index, 1)
      return { status: 204 }
    }
  }

  #create(request: IssuerRequest, made: (token: Token) => Token) {
    const { name, scopes, expires_at } = JSON.parse(request.body) as Pick<Token, 'name' | 'scopes' | 'expires_at'>
    const id = ++this.#lastId
    const username = `gitlab+deploy-token-${id}`
    const token = made({
      id,
      name,
      username,
      expires_at: `${expires_at}T00:00:00.000Z`,
      scopes,
      token: `gldt-${id}-0000`,
    })
    this.tokens.push(token)
    return { status: 201, body: token }
  }

  /** What is listed does not tell the tokens themselves. */
  #list({ query }: IssuerRequest) {
    const page = Number(query.get('page'))
    const rest = this.tokens.slice((page - 1) * this.pageSize)
    const next = rest.length > this.pageSize ? String(page + 1) : ''
    const body = rest.slice(0, this.pageSize).map(({ token: _, ...listed }) => listed)
    return { headers: { 'x-next-page': next }, body }
  }
}
