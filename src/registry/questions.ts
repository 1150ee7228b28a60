/** Which logins of a credential are asked about, where, and which of them has to be able to pull the image. */
import type { Entries, Entry } from '../model/docker-config.ts'
import { type Image, nameOf, parseImage } from '../model/image.ts'
import { lookup } from '../model/keyring.ts'
import type { Verification } from '../model/verification.ts'
import type { Subject } from './verification.ts'

export interface Question extends Subject {
  login: Entry
  /** `image`, read; undefined: only whether the login is accepted is asked. */
  wanted: Image | undefined
}

/**
 * @param image `verify.image`
 * @returns one question for every login of every registry, the one about the image first; and what is wrong with the
 *   image, where no login can be asked about it
 */
export function questionsOf(
  entries: Entries,
  image: string | undefined,
): { questions: Question[]; problem: Verification | undefined } {
  const questions = new Map<string, Question>()
  const add = (question: Question) => {
    const same = JSON.stringify([question.host, question.login.username, question.login.password])
    if (!questions.has(same)) questions.set(same, question)
  }
  const about = image === undefined ? undefined : questionAbout(entries, image)
  if (about && 'login' in about) add(about)
  for (const [key, login] of entries) {
    const host = hostOf(key)
    if (!host.includes('*')) add({ key, host, login, image: undefined, wanted: undefined })
  }
  return { questions: [...questions.values()], problem: about && 'verdict' in about ? about : undefined }
}

/** The entry that the kubelet tries first. */
function questionAbout(entries: Entries, image: string): Question | Verification {
  const wanted = parseImage(image)
  if (wanted === undefined) {
    const message = 'verify.image is not the name of an image in a registry; write for example ghcr.io/acme/app:1.0.'
    return { verdict: 'Unknown', reason: 'ImageInvalid', message }
  }
  const [entry] = lookup([[...entries].map(([key, login]) => [key, { key, login }])], nameOf(wanted))
  const host = apiHost(wanted.registry)
  // The kubelet tries Docker Hub's login for `localhost/app` too; it is not sent there only to check it.
  if (entry === undefined || !mayAsk(entry.key, host)) {
    const message = `verify.image names ${image}, which none of the entries is for; correct it, or add an entry for it.`
    return { verdict: 'Unknown', reason: 'ImageNotCovered', message }
  }
  return { ...entry, host, image, wanted }
}

function mayAsk(key: string, host: string): boolean {
  return hostOf(key) === host || hostOf(key).includes('*')
}

/** host[:port] of the API behind a canonical docker config key; possibly with wildcards. */
function hostOf(key: string): string {
  return apiHost(key.replace(/^https?:\/\//, '').replace(/\/.*$/s, ''))
}

function apiHost(registry: string): string {
  return /^(index\.)?docker\.io$/.test(registry) ? 'registry-1.docker.io' : registry
}
