/** The credentials that were named; of those that are not there it is told, as kubectl does it. */
import type { RegistryCredential } from '../api/registry-credential.ts'
import { isNotFound } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/client.ts'
import { listCredentials, readCredential } from './credentials.ts'
import { tell } from './output.ts'
import { type ExitCode, Problem, sayingOf } from './problem.ts'

export interface Named {
  found: RegistryCredential[]
  /** 1 where one is not there. */
  exitCode: ExitCode
}

/** @param names none: all that there are. @throws ApiError, Problem */
export async function named(client: KubeClient, names: readonly string[]): Promise<Named> {
  if (names.length === 0) return { found: await listCredentials(client), exitCode: 0 }
  // The path of an object without a name is that of the whole list.
  if (names.includes('')) throw new Problem('the name of a credential may not be empty')
  const result: Named = { found: [], exitCode: 0 }
  for (const name of new Set(names)) {
    try {
      result.found.push(await readCredential(client, name))
    } catch (error) {
      if (!isNotFound(error)) throw error
      tell(sayingOf(error))
      result.exitCode = 1
    }
  }
  return result
}
