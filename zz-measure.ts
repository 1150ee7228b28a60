import { spawnSync } from 'node:child_process'
import { KubeConfig } from '@kubernetes/client-node'
import { startCluster } from './test/cluster/cluster.ts'
import { KubeClient } from './src/kube/client.ts'
const cluster = await startCluster()
const kc = new KubeConfig(); kc.loadFromFile(cluster.adminKubeconfig)
const client = new KubeClient({ kubeConfig: kc, version: '1' })
const make = (n: number, p: string) => client.create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: p + n }, imagePullSecrets: Array(n).fill({}) }, { fieldManager: 't' }).then(() => console.log('made', n), (e) => console.log(n, String(e)))
const run = () => {for (const flags of [['--max-old-space-size=128', '--max-semi-space-size=1'], ['--max-old-space-size=128']])
for (const root of ['/tmp/wt-hostile']) for (const TRACE of ['', '']) { const r = spawnSync(process.execPath, [...flags, '--disable-warning=ExperimentalWarning', '/tmp/hostile-list.ts', root, cluster.adminKubeconfig], { encoding: 'utf8', env: {...process.env, TRACE} }); console.log(flags.join(), root, r.status, r.signal, r.stdout, r.stderr.slice(0, 150)) }
}
for (let i = 0; i < 20; i++) await make(340_000, 'h'+i)
run()
for (let i=0;i<20;i++) await client.delete('/api/v1/namespaces/default/serviceaccounts/h'+i+'340000')
for (const n of [500_000, 700_000, 760_000, 780_000, 786_000]) await make(n, 'x')
for (let i = 0; i < 6; i++) await make(700_000 , 'y'+ i)
run()
await client.close(); await cluster.stop(); process.exit(0)
