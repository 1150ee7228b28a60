/** The JSON key of a service account, as `gcloud iam service-accounts keys create` writes it. */
import { createPrivateKey } from 'node:crypto'
import { SourceProblem } from './source-problem.ts'

export interface ServiceAccountKey {
  email: string
  /** PEM. */
  privateKey: string
}

/**
 * Takes no other kind of Google's credential files: those of type external_account may name programs, files and URLs.
 * Where to ask is not taken from it either (`token_uri`).
 * @param secret the name of the Secret it comes from
 * @throws SourceProblem
 */
export function serviceAccountKeyOf(text: string, secret: string): ServiceAccountKey {
  const invalid = (what: string) =>
    new SourceProblem(
      'SourceInvalid',
      `key.json of Secret ${secret} ${what}; put the key of a service account there, as gcloud iam service-accounts keys create writes it.`,
    )
  const { type, client_email: email, private_key: privateKey } = parse(text) ?? {}
  if (type !== 'service_account') throw invalid('is no JSON object whose type is service_account')
  if (typeof email !== 'string' || email === '') throw invalid('has no client_email')
  if (typeof privateKey !== 'string' || !isRsaKey(privateKey)) throw invalid('has no private_key that is RSA in PEM')
  return { email, privateKey }
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null) ?? undefined
  } catch {
    return undefined
  }
}
