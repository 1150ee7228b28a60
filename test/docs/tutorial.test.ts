/** docs/tutorial.md is followed word for word, with a real registry; only the reader's own values are the test's. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { lookup } from '../../src/model/keyring.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { pushImage } from '../parts/push.ts'
import { type Registry, startRegistry } from '../parts/registry.ts'
import { type Snippet, snippetsOf } from './markdown.ts'
import { Shell } from './shell.ts'

const logins = { 'acme-bot': 'first-password', 'acme-bot-2': 'second-password' }
const repository = 'acme/app'

const lab = new Lab(sharedCluster())
let registry: Registry
let operator: RunningOperator
let shell: Shell

const basic = (username: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
})

beforeAll(async () => {
  registry = await startRegistry({ auth: { htpasswd: logins } })
  await pushImage(registry.url, repository, '1.0', basic('acme-bot', logins['acme-bot']))
  operator = await startOperator()
  shell = new Shell(lab.cluster, {
    REGISTRY: registry.host,
    IMAGE: `${registry.host}/${repository}:1.0`,
    LOGIN: 'acme-bot',
    PASSWORD: logins['acme-bot'],
    SECOND_LOGIN: 'acme-bot-2',
    SECOND_PASSWORD: logins['acme-bot-2'],
  })
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  shell?.close()
  await lab.cluster.kubectl('delete', 'rcred', 'first', '--ignore-not-found')
  await lab.cluster.kubectl('delete', 'namespace', 'team-a', 'team-b', 'team-c', '--ignore-not-found', '--wait=false')
  await lab.cluster.kubectl('delete', 'secret', 'first', '-n', 'regcred-system', '--ignore-not-found')
  await lab.close()
  expect(await operator?.stop()).toBe(0)
  await registry?.stop()
})

/** The status of the registry's answer to the kubelet's first attempt for a new pod of this namespace. */
async function pull(namespace: string): Promise<number> {
  const secrets = await Promise.all((await lab.references(namespace)).map((name) => lab.logins(namespace, name)))
  const [login] = lookup(
    secrets.map((each) => Object.entries(each ?? {})),
    `${registry.host}/${repository}`,
  )
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const headers = { accept, ...(login && basic(login.username, login.password)) }
  return (await fetch(`${registry.url}/v2/${repository}/manifests/1.0`, { headers })).status
}

/** What has to be so after the block with these words in it; its output is given. */
const after: Record<string, (output: string) => Promise<void>> = {
  'kubectl get rcred first -o wide': async (output) => {
    expect(output).toMatch(/^first +True +regcred +1\/1 +True +(0 +)?Succeeded/m)
    await eventually(async () => expect(await pull('team-a')).toBe(200))
  },
  'run app': async (output) => {
    expect(output.match(/\[\{"name":"regcred"\}\]/g)).toHaveLength(2)
  },
  'kubectl get rcred first\n': async (output) => {
    await eventually(async () => expect(await pull('team-b')).toBe(200))
    expect(output).toMatch(/^first +True +regcred +2\/2/m)
  },
  'first-\n': async () => {
    expect(await pull('team-b')).toBe(401)
  },
  'username="$SECOND_LOGIN"': async (output) => {
    const used = async () => Object.values((await lab.logins('team-a')) ?? {}).map(({ username }) => username)
    await eventually(async () => expect(await used()).toEqual(['acme-bot-2']))
    const uids = [...output.matchAll(/^([0-9a-f-]{36}) /gm)].map(([, uid]) => uid)
    expect(uids).toEqual([uids[0], (await lab.secret('team-a'))?.metadata.uid])
    const rotated = expect.objectContaining({ reason: 'Rotated' })
    await eventually(async () => expect(await lab.events('first')).toContainEqual(rotated))
    expect(await pull('team-a')).toBe(200)
  },
  'password=mistyped': async (output) => {
    expect(output).toMatch(/^Stalled=True VerificationFailed: /m)
    expect(output).not.toContain('mistyped')
    expect(await pull('team-a')).toBe(200)
  },
  'status.failures[0].message': async (output) => {
    expect(output).toContain('is left alone')
    expect(await pull('team-a')).toBe(200)
  },
  'delete secret regcred': async () => {
    await eventually(async () => expect(await pull('team-c')).toBe(200))
  },
  'kubectl delete rcred first': async (output) => {
    expect(output).not.toContain('regcred"')
  },
}

const isOfTheReader = ({ text }: Snippet) => text.includes('read -rs ')
const blocks = snippetsOf('docs/tutorial.md').filter(({ language }) => language === 'sh')

test(
  'it is followed from the beginning to the end',
  async () => {
    const seen: string[] = []
    for (const block of blocks.filter((each) => !isOfTheReader(each))) {
      const output = await shell.run(block.text)
      for (const words of Object.keys(after).filter((each) => block.text.includes(each))) {
        await after[words]?.(output)
        seen.push(words)
      }
    }
    expect(seen).toEqual(Object.keys(after))
  },
  OPERATOR_HOOK_TIMEOUT_MS,
)

test("one block alone is the reader's own", () => {
  expect(blocks.filter(isOfTheReader)).toHaveLength(1)
})
