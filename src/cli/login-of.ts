/** The login of a credential as the user may read it: in its source Secret, or in the pull Secret of a namespace. */
import type { RegistryCredential } from '../api/registry-credential.ts'
import { secretPath } from '../controller/secret-writer.ts'
import { isForbidden, isNotFound } from '../kube/api-error.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Entries } from '../model/docker-config.ts'
import { entriesOf, GivenProblem } from '../model/given.ts'
import { givenBy, type SourceSecret } from '../model/source-secret.ts'
import type { Connection } from './connection.ts'
import { Problem } from './problem.ts'

export interface LoginOf {
  entries: Entries
  /** Where it is from, such as `Secret regcred-system/dockerhub`. */
  from: string
}

/** @throws Problem where it cannot be had; ApiError, ConnectionError */
export async function loginOf(connection: Connection, credential: RegistryCredential): Promise<LoginOf> {
  const { isNamespaceGiven, operatorNamespace, namespace } = connection
  const { source, registries, secretName } = credential.spec
  if (source.secretRef !== undefined && !isNamespaceGiven) {
    const secret = await readSecret(connection, operatorNamespace, source.secretRef.name)
    return read(secret, operatorNamespace, registries)
  }
  const secret = await readSecret(connection, namespace, secretName)
  const { entries, from } = read(secret, namespace, undefined)
  const own = new Set(credential.status?.credential?.registries)
  const owned = new Map([...entries].filter(([key]) => own.has(key)))
  if (owned.size > 0) return { entries: owned, from }
  throw new Problem(`${from} has no entry of ${credential.metadata.name}; does the namespace get it? ${elsewhere}`)
}

const elsewhere = '-n names another namespace'

type Secret = KubeObject & Partial<SourceSecret>

async function readSecret({ client }: Connection, namespace: string, name: string): Promise<Secret> {
  try {
    return await client.get<Secret>(secretPath(namespace, name))
  } catch (error) {
    if (isNotFound(error)) throw new Problem(`there is no Secret ${namespace}/${name}; ${elsewhere}`)
    if (!isForbidden(error)) throw error
    throw new Problem(
      `you may not read Secret ${namespace}/${name} (${(error as Error).message}); with -n the pull Secret of a namespace is read, where you may`,
    )
  }
}

function read({ metadata, type = 'Opaque', data = {} }: Secret, namespace: string, registries: string[] | undefined) {
  const from = `Secret ${namespace}/${metadata.name}`
  try {
    return { entries: entriesOf(givenBy({ type, data }), registries), from }
  } catch (error) {
    if (error instanceof GivenProblem) throw new Problem(`${from} cannot be used: ${error.message}`)
    throw error
  }
}
