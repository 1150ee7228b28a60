/** What a registry says of a login. Messages are for conditions: host, docker config key, image and cure, nothing secret. */

import type { Verdict, Verification } from '../model/verification.ts'

/** What is asked about. */
export interface Subject {
  /** Docker config key. */
  key: string
  /** host[:port] of the registry's API. */
  host: string
  /** As the user wrote it. */
  image: string | undefined
}

type Sentence = (subject: Subject) => string

const sentences = {
  Accepted: ['Valid', ({ host, key }) => `${host} accepts the login for ${key}.`],
  PullAllowed: ['Valid', ({ host, key, image }) => `${host} lets the login for ${key} pull ${image}.`],
  PublicRepository: [
    'Valid',
    ({ host, key, image }) =>
      `${host} accepts the login for ${key}; everybody may pull ${image}, so name a private image in verify.image to check the right to pull.`,
  ],
  Refused: ['Invalid', ({ host, key }) => `${host} refuses the login for ${key}; renew it at its source.`],
  PullDenied: [
    'NoPullAccess',
    ({ host, key, image }) =>
      `${host} accepts the login for ${key}, but does not let it pull ${image}; give it that right, or correct verify.image.`,
  ],
  ImageNotFound: [
    'Unknown',
    ({ host, key, image }) =>
      `${host} accepts the login for ${key}, but ${image} does not exist or is hidden from it; correct verify.image, or give it the right to pull.`,
  ],
  ProvesNothing: [
    'Unknown',
    ({ host, key }) => `${host} asks nobody for a login, so it does not tell whether that for ${key} is right.`,
  ],
  RateLimited: ['Unknown', ({ host, key }) => `${host} has too many requests to check the login for ${key} (429).`],
} satisfies Record<string, readonly [Verdict, Sentence]>

export function found(reason: keyof typeof sentences, subject: Subject): Verification {
  const [verdict, sentence]: readonly [Verdict, Sentence] = sentences[reason]
  return { verdict, reason, message: sentence(subject) }
}

/** @param why the end of a sentence, in fixed words */
export function unchecked(
  reason: 'RegistryUnreachable' | 'UnexpectedAnswer' | 'RealmNotTrusted' | 'DeadlineExceeded',
  { key }: Subject,
  why: string,
): Verification {
  return { verdict: 'Unknown', reason, message: `The login for ${key} could not be checked: ${why}.` }
}
