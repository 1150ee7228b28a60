/** A registry or token server on loopback that answers as it is told, and remembers what it was asked. */
import { text } from 'node:stream/consumers'
import type { Servers } from '../http/servers.ts'

export interface Asked {
  /** Such as `GET /v2/`. */
  line: string
  query: URLSearchParams
  /** The user and password of Basic, the token of Bearer; undefined without. */
  login: string | undefined
  token: string | undefined
  form: URLSearchParams
}

export interface Answer {
  status: number
  headers?: Record<string, string | string[]>
  body?: unknown
}

export interface Scripted {
  /** `127.0.0.1:PORT` */
  host: string
  asked: Asked[]
}

/** May also not answer at all. @param origin the server's own */
export type Script = (asked: Asked, origin: string) => Answer | undefined

export async function scripted(server: Servers, script: Script): Promise<Scripted> {
  const asked: Asked[] = []
  const origin = await server.http(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', origin)
    const [scheme, value = ''] = request.headers.authorization?.split(' ') ?? []
    const question: Asked = {
      line: `${request.method} ${pathname}`,
      query: searchParams,
      login: scheme === 'Basic' ? Buffer.from(value, 'base64').toString() : undefined,
      token: scheme === 'Bearer' ? value : undefined,
      form: new URLSearchParams(await text(request)),
    }
    asked.push(question)
    const answer = script(question, origin)
    if (answer === undefined) return
    const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})
    response.writeHead(answer.status, answer.headers).end(body)
  })
  return { host: new URL(origin).host, asked }
}

export function bearer(realm: string, service = 'service'): Answer {
  return { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}",service="${service}"` } }
}

/** @param login `user:password` */
export function entry(login: string): { username: string; password: string } {
  const colon = login.indexOf(':')
  return { username: login.slice(0, colon), password: login.slice(colon + 1) }
}
