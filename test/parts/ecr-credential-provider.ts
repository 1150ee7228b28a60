/** The kubelet's credential provider for ECR, of k8s.io/cloud-provider-aws: one JSON object in, one out. */
import { join } from 'node:path'
import { partDir } from './parts.ts'

/** Absolute path of the program. */
export function ecrCredentialProviderPath(): string {
  return join(partDir('ecr-credential-provider'), 'ecr-credential-provider')
}
