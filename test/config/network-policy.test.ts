/** What config/network-policy admits, and to whose pods it applies. Whether a network enforces it is not ours to test. */
import { readFileSync } from 'node:fs'
import { BlockList } from 'node:net'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'

const read = (...path: string[]) =>
  parse(readFileSync(join(import.meta.dirname, '..', '..', 'config', ...path), 'utf8')).spec
const policy: Policy = read('network-policy', 'policy.yaml')
const pod: Pod = read('manager', 'deployment.yaml').template

interface Policy {
  podSelector: { matchLabels: object }
  policyTypes: string[]
  ingress: { from?: object[]; ports: object[] }[]
  egress: [dns: { ports: object[] }, others: { to: { ipBlock: { cidr: string; except: string[] } }[] }]
}

interface Pod {
  metadata: { labels: object }
  spec: { containers: [{ ports: { name: string; containerPort: number }[] }] }
}

test('it is for the pods of the Deployment, in both directions', () => {
  expect(policy.podSelector.matchLabels).toEqual(pod.metadata.labels)
  expect(policy.policyTypes).toEqual(['Ingress', 'Egress'])
})

test('it lets the kubelet at the probes, and nobody out to link-local and metadata addresses but for DNS', () => {
  const probes = pod.spec.containers[0].ports.find(({ name }) => name === 'health')?.containerPort
  const fromAnywhere = policy.ingress.filter(({ from }) => from === undefined)
  expect(fromAnywhere).toEqual([{ ports: [{ port: probes }] }])
  const [dns, others] = policy.egress
  expect(dns.ports).toEqual(['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })))
  const blocks = others.to.map(({ ipBlock }) => ipBlock)
  const open = (address: string, family: 'ipv4' | 'ipv6') =>
    blocks.some(({ cidr, except }) => within(address, family, [cidr]) && !within(address, family, except))
  for (const address of ['10.0.0.1', '140.82.121.33']) expect([address, open(address, 'ipv4')]).toEqual([address, true])
  for (const address of ['169.254.169.254', '169.254.170.2']) {
    expect([address, open(address, 'ipv4')]).toEqual([address, false])
  }
  expect(open('2606:50c0:8000::154', 'ipv6')).toBe(true)
  for (const address of ['fd00:ec2::254', 'fe80::1']) expect([address, open(address, 'ipv6')]).toEqual([address, false])
})

function within(address: string, family: 'ipv4' | 'ipv6', blocks: readonly string[]): boolean {
  const list = new BlockList()
  for (const block of blocks) {
    const [net = '', prefix] = block.split('/')
    if (net.includes(':') === (family === 'ipv6')) list.addSubnet(net, Number(prefix), family)
  }
  return list.check(address, family)
}
