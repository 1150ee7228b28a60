/** Whether pods could pull, at every moment: from all versions of ServiceAccounts and Secrets, as etcd has them. */
import { lookup } from '../../../src/model/keyring.ts'
import { type Login, loginsOf, type Secret, type ServiceAccount } from '../../controller/lab.ts'
import { historyOf, type Version } from '../../faults/history.ts'

export interface Pulls {
  etcdUrl: string
  /** Normalised, as the kubelet looks it up. */
  image: string
  /** What the registry takes. */
  valid: readonly Login[]
}

/**
 * ServiceAccounts of which a pod that is created right after a change would have no valid login, though one created before had.
 * @param since revision of etcd; what was wrong before does not count
 * @returns `namespace/name at revision`
 */
export async function breaks({ etcdUrl, image, valid }: Pulls, since: number): Promise<string[]> {
  const secrets = await historyOf<Secret>(etcdUrl, 'secrets', 1)
  const accounts = await historyOf<ServiceAccount>(etcdUrl, 'serviceaccounts', 1)
  const now = { secrets: new Map<string, Secret>(), accounts: new Map<string, ServiceAccount>() }
  const isValid = ({ username, password }: Login) =>
    valid.some((login) => login.username === username && login.password === password)
  const canPull = (key: string, { imagePullSecrets = [] }: ServiceAccount): boolean => {
    const [namespace] = key.split('/')
    const listed = imagePullSecrets.map(({ name }) => now.secrets.get(`${namespace}/${name}`))
    const entries = listed.map((secret) => (secret?.data ? Object.entries(loginsOf(secret)) : []))
    return lookup(entries, image).some(isValid)
  }
  const broken: string[] = []
  const good = new Set<string>()
  for (const version of [...secrets, ...accounts].sort((a, b) => a.revision - b.revision)) {
    keep(version)
    for (const [key, account] of now.accounts) {
      if (canPull(key, account)) good.add(key)
      else if (good.delete(key) && version.revision > since) broken.push(`${key} at ${version.revision}`)
    }
  }
  return broken

  function keep({ namespace, name, object }: Version<Secret | ServiceAccount>): void {
    const key = `${namespace}/${name}`
    if (object === undefined) {
      now.secrets.delete(key)
      now.accounts.delete(key)
    } else if (object.kind === 'Secret') {
      now.secrets.set(key, object as Secret)
    } else {
      now.accounts.set(key, object as ServiceAccount)
    }
  }
}
