/** A way for the operator to the API server on which a test can hold its requests back. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../cluster/access.ts'
import { startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { Lab, operatorNamespace } from '../controller/lab.ts'
import { type HttpProxy, startHttpProxy } from '../kube/http-proxy.ts'
import { configOf } from '../kube/setup.ts'

/** @returns the proxy, and a kubeconfig file of the operator's ServiceAccount that leads through it */
export async function startProxy(cluster: Cluster): Promise<{ proxy: HttpProxy; kubeconfig: string }> {
  const direct = await cluster.kubeconfigFor({ namespace: operatorNamespace, serviceAccount: 'regcred-operator' })
  const proxy = await startHttpProxy(configOf(direct))
  const kubeconfig = join(cluster.dir, 'through-the-proxy.kubeconfig')
  writeFileSync(kubeconfig, configOf(direct, proxy.url).exportConfig(), { mode: 0o600 })
  return { proxy, kubeconfig }
}

export interface Proxied {
  lab: Lab
  proxy: HttpProxy
  operator: RunningOperator
  end(): Promise<void>
}

/** A control plane of one's own, and an operator that talks to it through the proxy. */
export async function startProxied(): Promise<Proxied> {
  const cluster = await startCluster()
  await installOperator(cluster)
  const lab = new Lab(cluster)
  const { proxy, kubeconfig } = await startProxy(cluster)
  const operator = await startOperator({ cluster, kubeconfig })
  const end = async () => {
    await lab.close()
    await operator.kill()
    await proxy.close()
    await cluster.stop()
  }
  return { lab, proxy, operator, end }
}
