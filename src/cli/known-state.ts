/**
 * Credentials as the model works with them, without their logins: the CLI knows the keys of docker configs and nothing of
 * what is under them. An entry that stands for the real one says in its user name whose it is, and in its password which
 * content, so that the model tells what comes and goes and who wins.
 */

import type { ObservedCredential } from '../controller/observe.ts'
import type { Credential } from '../model/credential.ts'
import type { CredentialState } from '../model/desired.ts'
import type { Entries } from '../model/docker-config.ts'

/** What is known of the content that a credential gives. */
export interface KnownContent {
  /** Docker config keys; undefined while no login has ever been had. */
  keys: readonly string[] | undefined
  /** Another text: the data under the same keys may be other ones. */
  content: string
}

/** The content that is in use. */
export const inUse = 'in use'

/** By the status, which the operator writes: nobody needs the right to read Secrets for it. */
export function contentInUse({ status }: Pick<ObservedCredential, 'status'>): KnownContent {
  return { keys: status?.credential?.registries, content: inUse }
}

/** @param isAllowed whether the installation may write Secrets of this name */
export function knownState(
  credential: Credential,
  { keys, content }: KnownContent,
  isAllowed: (secretName: string) => boolean,
): CredentialState {
  const entries: Entries | undefined =
    keys && new Map(keys.map((key) => [key, { username: credential.name, password: content }]))
  const frozen = !credential.deleting && (credential.suspended || !isAllowed(credential.secretName))
  return { credential, entries, frozen, version: 1 }
}
