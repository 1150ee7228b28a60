/**
 * Who may read the metrics: whoever the cluster says. The bearer token of a request is given to the API server to tell
 * whose it is (TokenReview), and whether that one may `get` the non-resource URL /metrics (SubjectAccessReview), as
 * controller-runtime does it (WithAuthenticationAndAuthorization). No answer is never a yes.
 *
 * A token is somebody else's: it goes to the API server and nowhere else, not into the memory of answers either.
 */
import { createHash } from 'node:crypto'
import { fieldManager } from '../api/names.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Guard, Verdict } from '../telemetry/server.ts'
import { ApiError, ConnectionError, isForbidden } from './api-error.ts'
import type { KubeClient } from './client.ts'
import { remember } from './remember.ts'
import { TokenBuckets } from './token-bucket.ts'

const tokenReviews = '/apis/authentication.k8s.io/v1/tokenreviews'
const accessReviews = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** Twice of it fits into the 10 s that Prometheus waits. */
const timeoutMs = 4_000
/**
 * How long an answer holds. Shorter than apiserver's and controller-runtime's (a yes: 1 and 5 minutes): two requests in
 * half a minute are nothing to the API server, and a token that was revoked, or a right, is of use no longer than that.
 */
const holdsMs: Readonly<Record<Verdict, number>> = {
  allowed: 30_000,
  unauthenticated: 10_000,
  forbidden: 10_000,
  unknown: 0,
}
/** The answer that was asked for longest ago is forgotten for the next. Some 200 bytes each. */
const maxAnswers = 1_000
/** Those of ServiceAccounts have about 1,000 characters, those of OIDC providers seldom more than 4,000. */
const bearer = /^bearer +([\x21-\x7e]{1,8192})$/i

/** Unknown tokens that are asked about: of one client, and of all. */
const clientBurst = 10
const clientRefillMs = 1_000
const totalBurst = 50
const totalRefillMs = 100
/** How often clients that were quiet are forgotten. */
const pruneMs = 60_000
const logMs = 60_000

interface TokenReview {
  status?: { authenticated?: boolean; user?: { username?: string; uid?: string; groups?: string[]; extra?: object } }
}

interface SubjectAccessReview {
  status?: { allowed?: boolean; denied?: boolean }
}

interface Remembered {
  verdict: Promise<Verdict>
  /** In ms of performance.now(); undefined while it is being asked. */
  until: number | undefined
  /** Its last answer was a yes: no flood of made-up tokens keeps it from being asked about again. */
  good: boolean
}

type User = Required<Required<TokenReview>['status']>['user']

/** @param client one without a fence: a replica that waits for its turn is scraped too */
export function scrapeGuard(client: KubeClient, log: Logger): Guard {
  const answers = new Map<string, Remembered>()
  const clients = new TokenBuckets(clientBurst, clientRefillMs)
  const total = new TokenBuckets(totalBurst, totalRefillMs)
  const pruned = new TokenBuckets(1, pruneMs)
  const logged = new TokenBuckets(1, logMs)

  function mayAskFor(address: string): boolean {
    if (pruned.take('')) clients.prune()
    if (clients.take(address) && total.take('')) return true
    if (logged.take('flood')) log.warn('too many unknown tokens are tried at /metrics', { client: address })
    return false
  }

  async function ask(token: string): Promise<Verdict> {
    try {
      const user = await userOf(client, token)
      if (user === undefined) return 'unauthenticated'
      return (await mayScrape(client, user)) ? 'allowed' : 'forbidden'
    } catch (error) {
      if (logged.take('outage')) log.error('who may read /metrics cannot be found out', { reason: reasonOf(error) })
      return 'unknown'
    }
  }

  return async (authorization, address) => {
    const [, token] = bearer.exec(authorization ?? '') ?? []
    if (token === undefined) return 'unauthenticated'
    const key = createHash('sha256').update(token).digest('base64')
    const known = answers.get(key)
    if (known && (known.until === undefined || performance.now() < known.until)) return known.verdict
    const good = known?.good === true
    if (!good && !mayAskFor(address)) return 'unknown'

    const asked: Remembered = { verdict: ask(token), until: undefined, good }
    remember(answers, key, asked, maxAnswers)
    const verdict = await asked.verdict
    asked.until = performance.now() + holdsMs[verdict]
    if (verdict !== 'unknown') asked.good = verdict === 'allowed'
    return verdict
  }
}

async function userOf(client: KubeClient, token: string): Promise<User | undefined> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const { status } = await client.create<TokenReview>(tokenReviews, review, { fieldManager, timeoutMs })
  return status?.authenticated === true && status.user?.username ? status.user : undefined
}

async function mayScrape(client: KubeClient, { username, uid, groups, extra }: User): Promise<boolean> {
  const nonResourceAttributes = { path: '/metrics', verb: 'get' }
  const spec = { user: username, uid, groups, extra, nonResourceAttributes }
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
  const { status } = await client.create<SubjectAccessReview>(accessReviews, review, { fieldManager, timeoutMs })
  return status?.allowed === true && status.denied !== true
}

/** In words of ours: those of the API server are about a request that holds a token. */
function reasonOf(error: unknown): string {
  if (isForbidden(error)) return 'the operator may not create the reviews; config/rbac/metrics.yaml gives it the right'
  if (error instanceof ApiError) return `the API server answered ${error.code}`
  return error instanceof ConnectionError ? error.message : 'unexpected'
}
