/** What the Event on a stuck pod says: what is wrong, and what heals it. Nothing of it is the runtime's own words. */
import { rfc3339 } from './rfc3339.ts'
import { type Case, healsByNewPod, othersOf, type Verdict } from './stuck-pod.ts'

/** Registry and repository are from the pod's spec, in a form that was checked. */
export function noteOf(verdict: Verdict, stuck: Case): string {
  const { pod, credential, issuedAt } = stuck
  const { name, secretName } = credential
  const image = pod.waits.find((wait) => stuck.covers(wait.image))?.image ?? ''
  const what = `The image ${image} needs a login, which Secret ${secretName} of RegistryCredential ${name} has`
  const login = `the login in use (of ${rfc3339(new Date(issuedAt))})`
  switch (verdict) {
    case 'NotReferenced':
      return `${what}, but this pod was made before ServiceAccount ${pod.serviceAccount} named the Secret, and keeps the list it was made with. ${cure(verdict, stuck)}`
    case 'OwnList':
      return `${what}, but this pod has no such entry in imagePullSecrets, nor would a new one get it from ServiceAccount ${pod.serviceAccount}, as pods with lists of their own do not. ${ownListCure(stuck)}`
    case 'RefusedBefore':
      return `${what}, but the registry refused it before ${login} was had. The kubelet tries again within five minutes. ${cure(verdict, stuck)}`
    case 'Refused':
      return `${what}, but the registry refuses ${login}: it is wrong, or has no right to this image. A new pod is no cure. Set spec.verify.image of the credential to this image to have the right checked, and see its condition Verified.`
    case 'MalformedSecret':
      return `The kubelet cannot read one of the pull Secrets of this pod (${othersOf(pod, secretName).join(', ')}), and so pulls no image of it, in spite of Secret ${secretName} of RegistryCredential ${name}. Mend or delete that Secret; the pod starts by itself then.`
  }
}

function cure(verdict: Verdict, { pod, credential }: Case): string {
  if (pod.replacedBy === undefined) return 'Delete the pod and make it anew, and it has it.'
  if (credential.healPods === 'Evict' && healsByNewPod(verdict)) return 'The operator evicts it, for a new one.'
  return 'Delete the pod, and the one in its place has it.'
}

function ownListCure({ credential: { secretName, pods } }: Case): string {
  const here = `Name Secret ${secretName} in imagePullSecrets of the pod or its template`
  return pods === 'AddToOwnList'
    ? `${here}, or see that config/admission is installed, and make the pod anew.`
    : `${here}, or set spec.pods of the credential to AddToOwnList, with config/admission installed, and make the pod anew.`
}
