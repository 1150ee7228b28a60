/** Checks one login with its registry: first whether it is accepted, then whether it may pull an image. */
import { OutboundError } from '../http/outbound-error.ts'
import type { Image } from '../model/image.ts'
import type { Verification } from '../model/verification.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Question } from './questions.ts'
import { isOwnRealm } from './realm.ts'
import { askForApi, askForManifest, basic, ping, type Way } from './registry-client.ts'
import { requestToken, type TokenAnswer, type TokenServer } from './token.ts'
import { found, type Subject, unchecked } from './verification.ts'

/** An accepted login, and what makes requests with it and without any. */
interface Access {
  authorization: string
  anonymous(): Promise<string | undefined>
}

/** A question, and where its registry is. */
interface Opened extends Question {
  origin: URL
  way: Way
}

/**
 * @param unreachable is told why the registry gave no answer at all
 * @throws the reason of the signal, and nothing else
 */
export async function check(question: Question, way: Way, unreachable: (why: string) => void): Promise<Verification> {
  const { host } = question
  let opened: Awaited<ReturnType<typeof ping>>
  try {
    opened = await ping(host, way)
  } catch (problem) {
    way.signal.throwIfAborted()
    const why = reasonOf(problem, host)
    unreachable(why)
    return unchecked('RegistryUnreachable', question, why)
  }
  try {
    return await checkOpened({ ...question, way, origin: opened.origin }, opened.answer)
  } catch (problem) {
    way.signal.throwIfAborted()
    // The registry itself has answered: what may not be spoken to is the token server that it names.
    const forbidden = problem instanceof OutboundError && /^ERR_(INSECURE|ADDRESS)$/.test(problem.code)
    return unchecked(forbidden ? 'RealmNotTrusted' : 'RegistryUnreachable', question, reasonOf(problem, host))
  }
}

async function checkOpened(question: Opened, answer: Response): Promise<Verification> {
  if (answer.status === 200) return found('ProvesNothing', question)
  if (answer.status !== 401) return unanswered(question, answer)
  const challenges = parseChallenges(answer.headers.get('www-authenticate') ?? '')
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  const access = bearer ? await byToken(question, bearer) : await byPassword(question, challenges)
  if ('verdict' in access) return access
  return question.wanted ? await checkPull(question, question.wanted, access) : found('Accepted', question)
}

async function byPassword(question: Opened, challenges: readonly Challenge[]): Promise<Access | Verification> {
  if (!challenges.some(({ scheme }) => scheme === 'basic')) {
    return unchecked('UnexpectedAnswer', question, `${question.host} asks for a login neither by Basic nor by Bearer`)
  }
  const authorization = basic(question.login)
  const answer = await askForApi(question.origin, authorization, question.way)
  if (answer.status === 401 || answer.status === 403) return found('Refused', question)
  if (answer.status !== 200) return unanswered(question, answer)
  return { authorization, anonymous: async () => undefined }
}

async function byToken(question: Opened, { parameters }: Challenge): Promise<Access | Verification> {
  const { host, origin, login, wanted, way } = question
  const realm = URL.parse(parameters.get('realm') ?? '')
  if (realm === null || !isOwnRealm(realm, origin)) {
    const named = realm?.hostname ? `the token server ${realm.host}, which shares no domain with it` : 'no token server'
    return unchecked('RealmNotTrusted', question, `${host} names ${named}`)
  }
  const server: TokenServer = { realm, service: parameters.get('service') }
  const scope = wanted && `repository:${wanted.repository}:pull`
  const ask = (scope: string | undefined) => requestToken(server, login, scope, way)
  const answer = await ask(scope)
  if (answer === 'refused') {
    // GitLab and others refuse a good login here too when it lacks the right that is asked for.
    const alone = scope === undefined ? answer : await ask(undefined)
    if (alone === 'refused') return found('Refused', question)
    return isToken(alone) ? found('PullDenied', question) : unanswered(question, alone, realm.host)
  }
  if (!isToken(answer)) return unanswered(question, answer, realm.host)
  return {
    authorization: `Bearer ${answer.token}`,
    async anonymous() {
      const anybody = await requestToken(server, undefined, scope, way)
      return isToken(anybody) ? `Bearer ${anybody.token}` : undefined
    },
  }
}

async function checkPull(question: Opened, image: Image, access: Access): Promise<Verification> {
  const answer = await askForManifest(question.origin, image, access.authorization, question.way)
  if (answer.status === 401 || answer.status === 403) return found('PullDenied', question)
  if (answer.status === 404) return found('ImageNotFound', question)
  if (answer.status !== 200) return unanswered(question, answer)
  return found((await isPublic(question, image, access)) ? 'PublicRepository' : 'PullAllowed', question)
}

/** False also where that cannot be told: the login has been allowed to pull. */
async function isPublic({ origin, way }: Opened, image: Image, { anonymous }: Access): Promise<boolean> {
  try {
    return (await askForManifest(origin, image, await anonymous(), way)).status === 200
  } catch {
    way.signal.throwIfAborted()
    return false
  }
}

function isToken(answer: TokenAnswer): answer is { token: string } {
  return typeof answer === 'object' && 'token' in answer
}

/** @param who gave the answer: host[:port] of the registry or its token server */
function unanswered(subject: Subject, { status }: Response, who = subject.host): Verification {
  if (status === 429) return found('RateLimited', subject)
  if (status >= 500) return unchecked('RegistryUnreachable', subject, `${who} answered ${status}`)
  return unchecked('UnexpectedAnswer', subject, `${who} answered ${status}, and not as a registry does`)
}

function reasonOf(problem: unknown, host: string): string {
  return problem instanceof OutboundError ? problem.message : `no usable answer from ${host}`
}
