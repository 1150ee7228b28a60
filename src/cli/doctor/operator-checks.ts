/** The operator itself: its Deployment, its pods, its leader and its rights. */
import { operatorName } from '../../api/names.ts'
import { humanDuration } from '../age.ts'
import { type Check, type Facts, hidden, install, type Lease, type Pod } from './facts.ts'
import { renewalOf } from './lease.ts'

/** Somebody renews the lease, be it an operator that runs elsewhere. */
function isLed({ lease, clocks }: Facts): boolean {
  if (lease.state !== 'read' || !lease.value.spec?.holderIdentity) return false
  const { leaseDurationSeconds = 0 } = lease.value.spec
  return sinceRenewal(lease.value, clocks) <= (leaseDurationSeconds + 2) * 1000
}

/** In milliseconds, by the API server's clock where it can be told: a leader's own may be wrong by more than a lease lasts. */
function sinceRenewal(lease: Lease, clocks: Facts['clocks']): number {
  const { holder, server } = renewalOf(lease)
  return clocks.server - (Number.isNaN(server) ? holder : server)
}

export function deploymentCheck(facts: Facts): Check {
  const name = 'Deployment'
  const { deployment, operatorNamespace, version } = facts
  const where = `${operatorNamespace}/${operatorName}`
  if (deployment.state === 'forbidden') return hidden(name, `Deployment ${where}`)
  const elsewhere = isLed(facts) ? '; an operator that leads runs elsewhere' : ''
  const level = elsewhere ? 'warning' : 'error'
  if (deployment.state === 'missing') {
    const cure = `${install}; or say where it is by --operator-namespace`
    return { name, level, message: `${where} is not there${elsewhere}`, cure }
  }
  const { spec, status = {}, metadata } = deployment.value
  const { replicas = 1 } = spec
  const { readyReplicas = 0, updatedReplicas = 0 } = status
  const running = `${readyReplicas} of ${replicas} replicas ready, ${imageOf(facts)}`
  const cure = `kubectl -n ${operatorNamespace} describe deployment ${operatorName}; kubectl -n ${operatorNamespace} get pods`
  if (replicas === 0)
    return {
      name,
      level,
      message: `scaled to 0${elsewhere}`,
      cure: `kubectl -n ${operatorNamespace} scale deployment ${operatorName} --replicas=2`,
    }
  if (readyReplicas === 0) return { name, level, message: `${running}${elsewhere}`, cure }
  if (readyReplicas < replicas || updatedReplicas < replicas || status.observedGeneration !== metadata.generation) {
    return { name, level: 'warning', message: `${running}, ${updatedReplicas} of the newest version`, cure }
  }
  const tag = tagOf(facts)
  if (tag !== undefined && tag !== version && tag !== `v${version}`) {
    const other = `${running}, and this plugin is of version ${version}`
    return { name, level: 'warning', message: other, cure: 'Use the plugin of the same version as the operator' }
  }
  return { name, level: 'ok', message: running }
}

function imageOf({ deployment }: Facts): string {
  return (deployment.state === 'read' && deployment.value.spec.template.spec.containers[0]?.image) || 'no image'
}

/** Undefined where the image is named by a digest alone, or not at all. */
function tagOf(facts: Facts): string | undefined {
  return /:([\w][\w.-]*)(?:@.*)?$/.exec(imageOf(facts))?.[1]
}

/** A pod is ready when its watches stand, and the loops of the one that leads run (/readyz). */
export function watchesCheck({ pods, operatorNamespace }: Facts): Check[] {
  const name = 'watches'
  if (pods.state === 'forbidden') return [hidden(name, `pods in ${operatorNamespace}`)]
  const running = pods.state === 'read' ? pods.value.filter(({ status }) => status?.phase === 'Running') : []
  if (running.length === 0) return [] // the Deployment tells
  const unready = running.filter((pod) => conditionOf(pod) !== 'True')
  const restarts = running.reduce((sum, pod) => sum + restartsOf(pod), 0)
  const restarted = restarts > 0 ? `; ${restarts} restarts` : ''
  if (unready.length > 0) {
    const names = unready.map(({ metadata }) => metadata.name).join(', ')
    const cure = `kubectl -n ${operatorNamespace} logs ${unready[0]?.metadata.name}; GET /readyz?verbose at its port 8081 tells which`
    return [
      { name, level: 'error', message: `pods are not ready, whose watches may not stand: ${names}${restarted}`, cure },
    ]
  }
  const message = `${running.length} pods are ready, so their watches stand${restarted}`
  const isRestless = restarts >= 3 * running.length
  if (!isRestless) return [{ name, level: 'ok', message }]
  return [
    {
      name,
      level: 'warning',
      message,
      cure: `kubectl -n ${operatorNamespace} logs --previous deployment/${operatorName}`,
    },
  ]
}

function conditionOf({ status }: Pod): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status
}

function restartsOf({ status }: Pod): number {
  return (status?.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0)
}

export function leaderCheck(facts: Facts): Check {
  const name = 'leader'
  const { lease, operatorNamespace, clocks } = facts
  const where = `Lease ${operatorNamespace}/${operatorName}`
  if (lease.state === 'forbidden') return hidden(name, where)
  const cure = `kubectl -n ${operatorNamespace} logs deployment/${operatorName}`
  if (lease.state === 'missing') {
    const message = `there is no ${where}: no operator has ever led here, or it runs without --leader-elect`
    return { name, level: 'error', message, cure }
  }
  const { holderIdentity } = lease.value.spec ?? {}
  if (!holderIdentity) return { name, level: 'error', message: `nobody holds ${where}`, cure }
  const ago = humanDuration(sinceRenewal(lease.value, clocks))
  if (isLed(facts)) return { name, level: 'ok', message: `${holderIdentity}, renewed ${ago} ago` }
  const message = `${holderIdentity} renewed ${where} last ${ago} ago, and nobody has taken over`
  return { name, level: 'error', message, cure }
}

/** The name of the ServiceAccount that the operator runs as. */
export function accountOf(deployment: Facts['deployment']): string {
  return (deployment.state === 'read' && deployment.value.spec.template.spec.serviceAccountName) || operatorName
}

export function rightsCheck({ missingRights, operatorNamespace, deployment }: Facts): Check {
  const name = 'RBAC'
  if (missingRights.state !== 'read') {
    return { name, level: 'unknown', message: 'you may not ask what others may do (create subjectaccessreviews)' }
  }
  const missing = missingRights.value
  if (missing.length === 0) return { name, level: 'ok', message: 'the operator may do all that it needs' }
  const shown = missing.slice(0, 5).join('; ')
  const more = missing.length > 5 ? `; and ${missing.length - 5} more` : ''
  const message = `ServiceAccount ${accountOf(deployment)} in ${operatorNamespace} may not ${shown}${more}`
  return { name, level: 'error', message, cure: `${install}, with the components that the credentials ask for` }
}
