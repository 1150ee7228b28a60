/**
 * The names that users, manifests and other programs know the operator by. All of them are API: config/, charts/ and
 * the scripts of users hang on them.
 */

export const group = 'regcred.dev'
export const version = 'v1'
export const groupVersion = `${group}/${version}`
export const credentialKind = 'RegistryCredential'
export const plural = 'registrycredentials'

/** Field manager of every write but that of the list of trusted registries. */
export const fieldManager = 'regcred-operator'

/** Field manager of that, in a ConfigMap that others write as well, and the key of it that is the operator's. */
export const trustedManager = 'regcred-operator-trusted-registries'
export const trustedKey = 'credentials'

/** Label on a Namespace by which the policy for trusted registries looks at it: audit, warn or deny. */
export const trustedLabel = `${group}/trusted-registries`

/** Finalizer of a credential: our entries are still in ServiceAccounts. */
export const finalizer = `${group}/references`

/** Label on a Namespace: "true" opts in to this credential, "false" opts out of it. */
export function useLabel(credential: string): string {
  return `use.${group}/${credential}`
}

/** "true" as a label on a Namespace or as an annotation on a ServiceAccount: no credential touches it. */
export const optOutKey = `${group}/opt-out`

/** Label by which our Secrets are known, and its value. */
export const managedByLabel = 'app.kubernetes.io/managed-by'
export const managedByValue = 'regcred-operator'

/** Annotation on a ServiceAccount: the Secret names we added to imagePullSecrets, sorted, joined by commas. */
export const managedAnnotation = `${group}/managed`

/** Annotation on our Secrets: what they were made of, signed (controller/marks.ts). */
export const markAnnotation = `${group}/mark`

/** Annotation on a Secret that is not ours: "true" lets the operator take it over. */
export const adoptAnnotation = `${group}/adopt`

/** Annotation on a credential: whenever its value changes, the source is asked at once. Best a time. */
export const refreshAnnotation = `${group}/refresh`

/** The key of a pull Secret's data. */
export const dockerConfigJsonKey = '.dockerconfigjson'

/** Namespace that config/ installs into. */
export const systemNamespace = 'regcred-system'

/** ServiceAccount, Deployment and Lease of the operator in its namespace. */
export const operatorName = 'regcred-operator'

/** Secret in the operator's namespace with the key that `markAnnotation` is signed with. */
export const markKeySecret = 'regcred-operator-key'

/** Secrets in the operator's namespace with the last good entries of the credentials: this, and a hexadecimal digit. */
export const stateSecretPrefix = 'regcred-operator-state-'

/** Name of the copies unless the credential says otherwise. */
export const defaultSecretName = 'regcred'
