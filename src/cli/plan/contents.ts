/** What a credential will give: the docker config keys after a change, as far as they can be known before it. */
import { isDeepStrictEqual } from 'node:util'
import type { Credential } from '../../model/credential.ts'
import { entriesOf, GivenProblem } from '../../model/given.ts'
import { canonicalKey } from '../../model/registry-key.ts'
import { givenBy, type SourceSecret } from '../../model/source-secret.ts'
import { inUse, type KnownContent } from '../known-state.ts'

/** What is known of the source after the change. */
export type Source =
  /** It is an issuer, or a Secret that the user may not read. */
  | { state: 'unknown' }
  | { state: 'missing' }
  /** @param isNew another than what is there now */
  | { state: 'read'; secret: SourceSecret; isNew: boolean }

export interface ContentAfter extends KnownContent {
  /** What is to be known of it. */
  note: string | undefined
}

const another = 'another login'

/**
 * @param before the credential with its content in use; undefined: it is new
 * @param source undefined: it was not looked at, since nothing of it changes
 */
export function contentAfter(
  before: { credential: Credential; content: KnownContent } | undefined,
  after: Credential,
  source: Source | undefined,
): ContentAfter {
  const stays: ContentAfter = { keys: before?.content.keys, content: inUse, note: undefined }
  if (source === undefined) return stays
  const effect = stays.keys ? 'the login in use stays' : 'nothing is written'
  const isOther = !before || !isDeepStrictEqual(before.credential.source, after.source)
  const { name, source: spec, registries, verify } = after
  if (source.state === 'missing') {
    const what = `source Secret ${spec.secretRef?.name} is not there`
    return { ...stays, note: `${what}: ${effect} until it is` }
  }
  const content = isOther || (source.state === 'read' && source.isNew) ? another : inUse
  const checked = verify.policy === 'Enforce' ? 'a new login is rolled out only if its registry takes it' : undefined
  const note = content === another ? checked : undefined
  if (source.state === 'unknown') {
    const given =
      registries && registries.length > 0 ? registries.map(canonicalKey) : [`what the source of ${name} gives`]
    return { keys: given, content, note }
  }
  try {
    return { keys: [...entriesOf(givenBy(source.secret), registries).keys()], content, note }
  } catch (problem) {
    if (!(problem instanceof GivenProblem)) throw problem
    return { ...stays, note: `source Secret ${spec.secretRef?.name} cannot be used: ${problem.message}; ${effect}` }
  }
}
