/** What issuers do instead of giving a login, and what a source must make of it. */
import type { SourceProblemReason } from '../../src/sources/source-problem.ts'
import type { Misbehaviour } from './issuer-server.ts'

interface Row {
  /** Sentence about the issuer; `SourceCase.exempt` names it. */
  what: string
  does: Misbehaviour
  reason: SourceProblemReason
  /** Seconds that must at least pass before it is asked again. */
  retryAfterSeconds?: number
}

/** In all bodies: nothing of them may be passed on, as real ones quote what was sent. */
export const canary = 'what the issuer says: 4f1d8a'

const refusal = JSON.stringify({ error: canary, message: canary, errors: [{ code: canary, message: canary }] })

export const misbehaviours: readonly Row[] = [
  { what: 'does not know us (401)', does: answers(401, refusal), reason: 'IssuerRefused' },
  { what: 'does not let us (403)', does: answers(403, refusal), reason: 'IssuerRefused' },
  {
    what: 'asks for fewer requests (429 with Retry-After)',
    does: answers(429, refusal, { 'retry-after': '7' }),
    reason: 'RateLimited',
    retryAfterSeconds: 7,
  },
  { what: 'fails (500)', does: answers(500, refusal), reason: 'IssuerUnavailable' },
  {
    what: 'answers with a page of HTML',
    does: answers(200, `<!DOCTYPE html><title>${canary}</title>`, { 'content-type': 'text/html' }),
    reason: 'IssuerInvalid',
  },
  { what: 'answers with half of a JSON text', does: answers(200, `{"token": "${canary}`), reason: 'IssuerInvalid' },
  { what: 'answers with JSON that is no object', does: answers(200, `"${canary}"`), reason: 'IssuerInvalid' },
  { what: 'answers without what is needed', does: answers(200, `{"other": "${canary}"}`), reason: 'IssuerInvalid' },
  {
    what: 'answers with 10 MiB',
    does: answers(200, JSON.stringify(canary.repeat((10 * 1024 * 1024) / canary.length))),
    reason: 'IssuerInvalid',
  },
  {
    what: 'breaks off in the middle of its answer',
    does: (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 })
      response.write(`{"token": "${canary}`, () => response.destroy())
    },
    reason: 'IssuerUnavailable',
  },
]

/** It says nothing, and keeps the connection. */
export const silence: Misbehaviour = () => {}

/** 307 keeps the method and the body. */
export function redirectTo(url: string): Misbehaviour {
  return answers(307, '', { location: url })
}

function answers(status: number, body: string, headers: Record<string, string> = {}): Misbehaviour {
  return (response) => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}
