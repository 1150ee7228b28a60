/**
 * What a docker-credential helper answers to `get` with a server URL on stdin.
 * Source: docker/docker-credential-helpers `credentials`, docker/cli `cli/config/credentials/native_store.go`.
 */
import type { Entry } from '../model/docker-config.ts'
import { textOf } from './issuer.ts'
import { answerOf, gaveNothing, nameOf } from './plugin-answer.ts'
import type { PluginEnd } from './plugin-process.ts'
import { SourceProblem } from './source-problem.ts'

/** On stdout, with an exit code, where there is none. */
const hasNone = 'credentials not found in native keychain'

/** In place of the user name where the secret is an identity token. */
const identityToken = '<token>'

/** @throws SourceProblem */
export function readHelper(end: PluginEnd, plugin: string, server: string): Entry {
  if (end.exitCode !== 0 && end.stdout.toString().trim() === hasNone) throw gaveNothing(plugin, server)
  const answer = answerOf(end, plugin)
  const username = textOf(answer, 'Username', nameOf(plugin))
  if (username === identityToken) {
    throw new SourceProblem(
      'SourceInvalid',
      `${nameOf(plugin)} has an identity token for ${server}, which the kubelet cannot use; store a username and a password there.`,
    )
  }
  return { username, password: textOf(answer, 'Secret', nameOf(plugin)) }
}
