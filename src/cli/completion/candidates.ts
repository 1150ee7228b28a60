/** What the cluster has that an argument or the value of a flag may be, for shells that complete it. */
import type { Argument, Option } from 'commander'
import { type KubeList, metadataOnlyList } from '../../kube/objects.ts'
import type { Connection } from '../connection.ts'
import { listCredentials } from '../credentials.ts'

/** @throws ApiError, ConnectionError */
export type Candidates = (connection: Connection) => Promise<string[]>

const known = new WeakMap<Argument | Option, Candidates>()

/** Says by what an argument or flag is completed. @returns the same */
export function completedBy<Part extends Argument | Option>(part: Part, candidates: Candidates): Part {
  known.set(part, candidates)
  return part
}

export function candidatesOf(part: Argument | Option): Candidates | undefined {
  return known.get(part)
}

export const credentialNames: Candidates = async ({ client }) =>
  (await listCredentials(client)).map(({ metadata }) => metadata.name)

export const namespaceNames: Candidates = async ({ client }) => {
  const { items } = await client.get<KubeList>('/api/v1/namespaces', { accept: metadataOnlyList })
  return (items ?? []).map(({ metadata }) => metadata.name)
}
