/** A request as it is sent, and what a redirect makes of it. */
import { OutboundError } from './outbound-error.ts'

export interface OutboundRequest {
  url: URL
  method: string
  headers: [string, string][]
  body: Uint8Array<ArrayBuffer> | null
  redirect: Request['redirect']
}

const maxRedirects = 3

/**
 * Reads what `fetch` was called with. The signal is kept apart: a Request would only give a copy of it.
 * @throws OutboundError ERR_INVALID_REQUEST; what Node says would quote the URL or the header
 */
export async function readRequest(
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<{ request: OutboundRequest; signal: AbortSignal | undefined }> {
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
  try {
    const request = new Request(input, { ...init, signal: null })
    const { method, redirect } = request
    const url = new URL(request.url)
    if (!/^https?:$/.test(url.protocol)) throw new OutboundError('ERR_INVALID_REQUEST', url.host)
    const body = request.body && new Uint8Array(await request.arrayBuffer())
    return { request: { url, method, headers: [...request.headers], body, redirect }, signal }
  } catch {
    throw new OutboundError('ERR_INVALID_REQUEST', '')
  }
}

/**
 * The request that a redirect leads to, or undefined where the answer is no redirect that is to be followed.
 * @throws OutboundError ERR_REDIRECT where it leads to another scheme, host or port, or in circles
 */
export function redirected(request: OutboundRequest, answer: Response, before: number): OutboundRequest | undefined {
  const location = answer.headers.get('location')
  if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return undefined
  if (request.redirect === 'manual') return undefined
  const url = URL.parse(location, request.url.href)
  const elsewhere = url?.origin !== request.url.origin || url.username !== '' || url.password !== ''
  if (elsewhere || request.redirect === 'error' || before >= maxRedirects) {
    throw new OutboundError('ERR_REDIRECT', request.url.host)
  }
  if (!becomesGet(request.method, answer.status)) return { ...request, url }
  const headers = request.headers.filter(([name]) => !name.toLowerCase().startsWith('content-'))
  return { ...request, url, method: 'GET', headers, body: null }
}

/** As the Fetch standard has it. A DELETE that became a GET would look done and be none. */
function becomesGet(method: string, status: number): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  return status === 303 || (status < 303 && method === 'POST')
}
