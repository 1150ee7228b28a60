/** Whether an object in a cluster is that of this version, whatever the API server has filled in. */
import { createHash } from 'node:crypto'

/** Of a ValidatingAdmissionPolicy or MutatingAdmissionPolicy: what decides, as it is written in config/. */
export interface PolicySpec {
  failurePolicy?: string
  reinvocationPolicy?: string
  paramKind?: object
  matchConstraints?: MatchResources
  matchConditions?: object[]
  variables?: { name: string; expression: string }[]
  validations?: object[]
  mutations?: object[]
}

/** Of admissionregistration.k8s.io/v1, of a policy or its binding: which requests it looks at. */
export interface MatchResources {
  resourceRules?: object[]
  excludeResourceRules?: object[]
  namespaceSelector?: object
  objectSelector?: object
}

/** The variable that an installation with other Secret names changes (config/secret-names). */
export const namesVariable = 'allowed'

/** @param schema `schema` of a version of a CustomResourceDefinition */
export function schemaFingerprint(schema: object): string {
  return fingerprint(schema)
}

export function policyFingerprint(spec: PolicySpec): string {
  const { failurePolicy, reinvocationPolicy, paramKind, matchConstraints, matchConditions, validations, mutations } =
    spec
  const variables = spec.variables?.filter(({ name }) => name !== namesVariable)
  const { resourceRules } = matchConstraints ?? {}
  const rest = { failurePolicy, reinvocationPolicy, paramKind, matchConditions, validations, mutations }
  return fingerprint({ ...rest, resourceRules, variables })
}

/** Of a ValidatingAdmissionPolicyBinding. */
export interface BindingSpec {
  policyName: string
  paramRef?: { name?: string; namespace?: string; parameterNotFoundAction?: string }
  validationActions?: string[]
  matchResources?: MatchResources
}

/** Of what it binds to what and how; wherever its parameter is, which an installation says. */
export function bindingFingerprint({
  policyName,
  paramRef,
  validationActions,
  matchResources = {},
}: BindingSpec): string {
  const { namespace: _, ...param } = paramRef ?? {}
  const { resourceRules = [], excludeResourceRules = [], namespaceSelector = {}, objectSelector = {} } = matchResources
  const matching = { resourceRules, excludeResourceRules, namespaceSelector, objectSelector }
  return fingerprint({ policyName, param, validationActions, matching })
}

/** Of JSON, in whatever order its fields come, and however parsers of YAML fold its texts. */
function fingerprint(value: object): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'string') return each.replace(/\s+/g, ' ')
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
