/** Ways to the API server on which a test can break what passes, for an operator with its own ServiceAccount. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../cluster/access.ts'
import { operatorNamespace } from '../controller/lab.ts'
import type { HttpProxy } from '../kube/http-proxy.ts'
import { configOf } from '../kube/setup.ts'
import { startTcpProxy, type TcpProxy } from '../kube/tcp-proxy.ts'
import { startProxy } from '../process/proxied.ts'

export interface Links {
  /** TLS passes through it as it is. */
  tcp: TcpProxy
  /** Sees requests and answers. */
  http: HttpProxy
  /** Kubeconfig files that lead through them. */
  kubeconfigs: { tcp: string; http: string }
  close(): Promise<void>
}

export async function openLinks(cluster: Cluster): Promise<Links> {
  const { proxy: http, kubeconfig } = await startProxy(cluster)
  const { tcp, kubeconfig: throughTcp } = await openTcpLink(cluster, 'through-tcp')
  return {
    tcp,
    http,
    kubeconfigs: { tcp: throughTcp, http: kubeconfig },
    async close() {
      await tcp.close()
      await http.close()
    },
  }
}

/** @param name of the kubeconfig file */
export async function openTcpLink(cluster: Cluster, name: string): Promise<{ tcp: TcpProxy; kubeconfig: string }> {
  const tcp = await startTcpProxy(cluster.server)
  const direct = await cluster.kubeconfigFor({ namespace: operatorNamespace, serviceAccount: 'regcred-operator' })
  const kubeconfig = join(cluster.dir, `${name}.kubeconfig`)
  writeFileSync(kubeconfig, configOf(direct, tcp.url).exportConfig(), { mode: 0o600 })
  return { tcp, kubeconfig }
}
