/** Generated from crds/, config/guard and config/admission by `npm run generate`; do not edit. */

/** Version of the CRD → fingerprint of its schema. */
export const schemas: Readonly<Record<string, string>> = {
  v1: '8099210be683bd07',
}

/** Name of an admission policy → fingerprint. */
export const policies: Readonly<Record<string, string>> = {
  'guard-secrets.regcred.dev': '8f463359e7e362e0',
  'guard-serviceaccounts.regcred.dev': '33603bcca1e1c06d',
  'pods.regcred.dev': '6ffb36e9f8087a76',
  'serviceaccounts.regcred.dev': 'a38304150183ccb7',
}
