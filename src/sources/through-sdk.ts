/** Lets the SDK of a vendor speak to its issuer, under the rules of this operator. */
import { retryAfterSeconds } from '../http/retry-after.ts'
import { refusal, toSourceProblem } from './issuer.ts'

/**
 * Gives an SDK a fetch to ask its issuer by. What goes wrong on the way, a refusal included, is told from what came by
 * that fetch: an SDK would wrap it, or quote the answer.
 * @param issuer host, or what people call it, for what only the SDK finds wrong
 * @param check what to look at when it refuses, for people
 * @throws SourceProblem
 */
export async function throughSdk<Result>(
  send: typeof fetch,
  signal: AbortSignal,
  issuer: string,
  check: string,
  ask: (fetch: typeof send) => Promise<Result>,
): Promise<Result> {
  let problem: unknown
  const watched: typeof fetch = async (input, init) => {
    const { host } = new URL(input instanceof Request ? input.url : input)
    try {
      const response = await send(input, { ...init, signal })
      if (response.ok) return response
      throw await refusalOf(host, response, check)
    } catch (error) {
      problem = toSourceProblem(error, host)
      throw problem
    }
  }
  try {
    return await ask(watched)
  } catch (error) {
    throw problem ?? toSourceProblem(error, issuer)
  }
}

async function refusalOf(issuer: string, response: Response, check: string) {
  const code = codeOf(await response.json().catch(() => undefined))
  const { status, headers } = response
  return refusal({ issuer, status, code, check, retryAfterSeconds: retryAfterSeconds(headers, Date.now()) })
}

/** The code that can be searched for: Entra's own, else that of OAuth (RFC 6749, 5.2). */
function codeOf(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return undefined
  const { error, error_codes } = body as Record<string, unknown>
  return Array.isArray(error_codes) ? `AADSTS${Number(error_codes[0])}` : error
}
