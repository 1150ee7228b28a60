/** Generated from crds/, config/guard, config/admission and config/policies by `npm run generate`; do not edit. */

/** Version of the CRD → fingerprint of its schema. */
export const schemas: Readonly<Record<string, string>> = {
  v1: '8099210be683bd07',
}

/** Name of an admission policy → fingerprint. */
export const policies: Readonly<Record<string, string>> = {
  'guard-secrets.regcred.dev': 'ea1b1e8982dd4dc6',
  'guard-serviceaccounts.regcred.dev': 'd3dcc8b097b3b437',
  'pods.regcred.dev': '1fd9cdf9813d2436',
  'serviceaccounts.regcred.dev': '9191b29ba8560158',
  'trusted-registries.regcred.dev': 'a3d1e0eebab1d3aa',
}

/** Name of a binding of the policy for trusted registries → fingerprint. */
export const trustedBindings: Readonly<Record<string, string>> = {
  'trusted-registries-audit.regcred.dev': '9a4cada6e3769beb',
  'trusted-registries-warn.regcred.dev': 'ebf224d87661d6fe',
  'trusted-registries-deny.regcred.dev': '67bb65d6f90e65d0',
}
