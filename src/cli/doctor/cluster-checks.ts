/** The API server, the CRD and the clocks. */
import { group, plural, version as servedVersion } from '../../api/names.ts'
import { clockSkewMs } from '../../model/refresh.ts'
import { schemas } from './expected.ts'
import { type Check, type Facts, hidden, install } from './facts.ts'
import { schemaFingerprint } from './fingerprint.ts'
import { renewalOf } from './lease.ts'

const oldestMinor = 30

export function serverCheck({ server }: Facts): Check {
  const name = 'API server'
  const minor = Number.parseInt(server.minor, 10) // `30+` at some vendors
  const isOld = server.major === '1' && minor < oldestMinor
  if (!isOld) return { name, level: 'ok', message: `Kubernetes ${server.gitVersion}` }
  const message = `Kubernetes ${server.gitVersion} is older than 1.${oldestMinor}, which the operator needs`
  return { name, level: 'error', message, cure: 'Upgrade the cluster' }
}

export function crdCheck({ crd, credentials, version }: Facts): Check {
  const name = 'CRD'
  const crdName = `${plural}.${group}`
  if (crd.state === 'forbidden') {
    if (credentials.state !== 'missing') return hidden(name, `CustomResourceDefinition ${crdName}`)
    return { name, level: 'error', message: 'RegistryCredentials are not served', cure: install }
  }
  if (crd.state === 'missing') return { name, level: 'error', message: `${crdName} is not there`, cure: install }
  const { metadata, spec, status } = crd.value
  if (metadata.deletionTimestamp !== undefined) {
    const message = `${crdName} is being deleted, with all RegistryCredentials; it waits for the operator to clean up after them`
    return { name, level: 'error', message, cure: 'docs/how-to/uninstall.md; install anew when it is gone' }
  }
  const established = status?.conditions?.find(({ type }) => type === 'Established')
  if (established?.status !== 'True') {
    const cure = `kubectl describe crd ${crdName}`
    return {
      name,
      level: 'error',
      message: `${crdName} is not served: ${established?.message ?? 'not Established'}`,
      cure,
    }
  }
  const served = spec.versions.find((each) => each.name === servedVersion && each.served)
  if (served === undefined) {
    const cure = 'Use the plugin of the operator that is installed'
    return {
      name,
      level: 'error',
      message: `${crdName} has no version ${servedVersion}, which this plugin speaks`,
      cure,
    }
  }
  if (served.subresources?.status === undefined) {
    const message = `${crdName} ${servedVersion} has no subresource status, so the operator cannot say what it does`
    return { name, level: 'error', message, cure: 'Apply crds/ of the version of the operator' }
  }
  if (schemaFingerprint(served.schema) !== schemas[servedVersion]) {
    const message = `${crdName} ${servedVersion} has another schema than that of this plugin (${version})`
    const cure = 'Use the plugin of the same version, or apply crds/ of this one'
    return { name, level: 'warning', message, cure }
  }
  return { name, level: 'ok', message: `${crdName} ${servedVersion}, with the schema of this plugin (${version})` }
}

/** Of a login it is said in times when it ends: clocks that differ more than that are told. */
export function clockChecks({ clocks, lease }: Facts): Check[] {
  const ours = skewCheck('clock here', clocks.ours - clocks.server)
  if (lease.state !== 'read') return [ours]
  const { holder, server } = renewalOf(lease.value)
  const skew = holder - (server + 500) // the server's has but full seconds
  return Number.isFinite(skew) ? [ours, skewCheck("operator's clock", skew)] : [ours]
}

function skewCheck(name: string, skewMs: number): Check {
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  const words = `${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the API server's`
  if (Math.abs(skewMs) <= clockSkewMs)
    return { name, level: 'ok', message: seconds < 2 ? "as the API server's" : words }
  return {
    name,
    level: 'warning',
    message: words,
    cure: 'Have the clocks set by NTP: logins seem to end early or late',
  }
}
