/** Harbor's robot accounts, as far as they are asked for: of the system, and of a project `acme` with the id 7. */
import type { Handler, IssuerAnswer, IssuerRequest } from './issuer-server.ts'

export interface Robot {
  id: number
  /** As Harbor shows it: with the prefix, and of a project with its name. */
  name: string
  disable: boolean
  /** Seconds since the epoch; -1: never. */
  expires_at: number
}

const forbidden = { status: 403, body: { errors: [{ code: 'FORBIDDEN', message: 'forbidden' }] } }

export class Harbor {
  readonly system: Robot[] = []
  readonly acme: Robot[] = []
  /** The secret that each robot was given last, by the robot's name. */
  readonly secrets = new Map<string, string>()

  readonly answer: Handler = (request) => {
    if (!request.headers.authorization?.startsWith('Basic ')) return { status: 401 }
    const path = request.path.replace('/api/v2.0/', '')
    if (request.method === 'PATCH') return this.#refresh(path, request.body)
    if (path === 'robots') return this.#list(request)
    const byName = request.headers['x-is-resource-name'] === 'true'
    return byName && path === 'projects/acme' ? { body: { project_id: 7, name: 'acme' } } : forbidden
  }

  #list({ query }: IssuerRequest): IssuerAnswer {
    const lists: Record<string, Robot[]> = { 'Level=system': this.system, 'Level=project,ProjectID=7': this.acme }
    const list = lists[query.get('q') ?? '']
    const [page, size] = [Number(query.get('page')), Number(query.get('page_size'))]
    return list === undefined ? forbidden : { body: list.slice((page - 1) * size, page * size) }
  }

  #refresh(path: string, body: string): IssuerAnswer {
    const robot = [...this.system, ...this.acme].find(({ id }) => path === `robots/${id}`)
    const { secret } = JSON.parse(body) as { secret: string }
    const isValid = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,128}$/.test(secret)
    if (robot === undefined || !isValid) return { status: robot ? 400 : 404 }
    this.secrets.set(robot.name, secret)
    return { body: {} }
  }
}
