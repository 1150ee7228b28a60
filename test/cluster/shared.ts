/** The one control plane of a jest run, which global-setup.ts started. */
import { type Cluster, openCluster } from './access.ts'

/** Environment variable by which jest's workers learn the cluster's folder. */
export const SHARED_CLUSTER = 'REGCRED_TEST_CLUSTER'

/** Cheap; may be called in every test file. */
export function sharedCluster(): Cluster {
  const dir = process.env[SHARED_CLUSTER]
  if (dir === undefined) throw new Error('No shared control plane: run this by jest, whose globalSetup starts it')
  return openCluster(dir)
}
