/**
 * `source.harbor`: robot accounts that the operator gives new secrets. Of two it takes the one whose secret is not in use.
 * The API: goharbor/harbor `api/v2.0/swagger.yaml` and, for what a secret must be, `src/controller/robot/controller.go`.
 */
import { randomBytes } from 'node:crypto'
import { encodeBase64 } from '../model/docker-config.ts'
import { endpointOf } from './endpoint.ts'
import { readKeys } from './identity.ts'
import { askIssuer, askIssuerForList, unusable } from './issuer.ts'
import type { Source, SourceContext, SpecOf } from './source.ts'
import { SourceProblem } from './source-problem.ts'

/** Asks the API for a path; the result is what `askIssuer` and `askIssuerForList` take. */
type Api = (path: string) => Parameters<typeof askIssuer>

const pageSize = 100
/** More than anybody has robots, and an end for a server that always has more. */
const maxPages = 100
/** Seconds: only a change in Harbor helps. */
const retrySeconds = 60

export const harbor: Source<'harbor'> = {
  async issue(spec, context, signal) {
    const [first = '', second = first] = spec.robots
    const name = context.handle?.robot === first ? second : first
    const { host } = new URL(spec.url)
    const api = await apiOf(spec, context, signal)
    const { id, expiresAt } = usable(await find(name, host, api), name, host)
    const password = newSecret()
    context.conceal(password)
    const [send, url, init, check] = api(`robots/${id}`)
    await askIssuer(send, url, { ...init, method: 'PATCH', body: JSON.stringify({ secret: password }) }, check)
    return {
      given: { entries: new Map([[host, { username: name, password }]]) },
      ...(expiresAt && { expiresAt, endStays: true }),
      handle: { robot: name },
    }
  },
}

async function apiOf({ url, secretRef }: SpecOf<'harbor'>, context: SourceContext, signal: AbortSignal): Promise<Api> {
  const { username, password } = await readKeys(context, secretRef.name, ['username', 'password'])
  const headers = {
    authorization: `Basic ${encodeBase64(`${username}:${password}`)}`,
    'content-type': 'application/json',
    'x-is-resource-name': 'true', // a project of the name 7 is not the seventh
  }
  const check = `source.harbor.robots, and that the user in Secret ${secretRef.name} may update these robots`
  return (path) => [context.fetch, endpointOf(url, `api/v2.0/${path}`), { headers, signal }, check]
}

/** Harbor lists the robots of the system, or of one project. */
async function find(name: string, host: string, api: Api): Promise<Record<string, unknown>> {
  const project = projectOf(name)
  const level =
    project === undefined ? 'Level=system' : `Level=project,ProjectID=${await projectId(project, host, api)}`
  for (let page = 1; page <= maxPages; page++) {
    const query = new URLSearchParams({ q: level, page: String(page), page_size: String(pageSize) })
    const { items } = await askIssuerForList(...api(`robots?${query}`))
    const robot = items.find((each) => each.name === name)
    if (robot !== undefined) return robot
    if (items.length < pageSize) break
  }
  throw refused(`${host} has no robot account ${name}; create it, or correct source.harbor.robots`)
}

/** `robot$acme+pull` → `acme`; undefined for a robot of the system. The prefix ends in what no project's name has in it. */
function projectOf(name: string): string | undefined {
  return /([a-z0-9]+(?:[._-][a-z0-9]+)*)\+[^+]*$/.exec(name)?.[1]
}

async function projectId(project: string, host: string, api: Api): Promise<number> {
  const { project_id: id } = await askIssuer(...api(`projects/${project}`))
  return integer(id, 'has no project_id', host)
}

/** @throws SourceProblem when a new secret would be of no use */
function usable(robot: Record<string, unknown>, name: string, host: string): { id: number; expiresAt?: Date } {
  const id = integer(robot.id, 'has a robot account without an id', host)
  const expiry = integer(robot.expires_at, 'has a robot account without an expires_at', host)
  if (robot.disable === true) throw refused(`Robot account ${name} of ${host} is disabled; enable it`)
  if (expiry === -1) return { id } // never
  const expiresAt = new Date(expiry * 1000)
  if (expiresAt <= new Date()) throw refused(`Robot account ${name} of ${host} has expired; extend its expiration time`)
  return { id, expiresAt }
}

/** Harbor asks for 8 to 128 characters, of them an upper-case letter, a lower-case letter and a digit. */
function newSecret(): string {
  return `Aa1${randomBytes(32).toString('base64url')}`
}

function integer(value: unknown, otherwise: string, host: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unusable(host, otherwise)
  return value
}

function refused(sentence: string): SourceProblem {
  return new SourceProblem('IssuerRefused', `${sentence}.`, retrySeconds)
}
