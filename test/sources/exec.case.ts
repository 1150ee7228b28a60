/** A plugin of the kubelet that passes on what a server says, if its status is one of success. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import type { SourceCase } from './contract.ts'

const image = 'registry.test/team/app'

const program = `#!${process.execPath}
const { image, serviceAccountToken } = JSON.parse(await process.stdin.setEncoding('utf8').toArray().then((all) => all.join('')))
const headers = { authorization: 'Bearer ' + serviceAccountToken }
const answer = await fetch(process.env.REGCRED_TEST_ISSUER + '/?image=' + image, { headers })
if (!answer.ok) process.exit(22)
process.stdout.write(await answer.text())
`

const execPluginDir = mkdtempSync(join(tmpdir(), 'regcred-test-'))
afterAll(() => rmSync(execPluginDir, { recursive: true }))
writeFileSync(join(execPluginDir, 'passes-on.mjs'), program)
chmodSync(join(execPluginDir, 'passes-on.mjs'), 0o755)

const noStatus = 'a plugin does not tell why it fails'

export const execCase: SourceCase<'exec'> = {
  kind: 'exec',
  issuer: (wish) => () => ({
    body: {
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      kind: 'CredentialProviderResponse',
      cacheKeyType: 'Registry',
      auth: { 'registry.test': { username: 'puller', password: wish().secret } },
    },
  }),
  spec: () => ({
    plugin: 'passes-on.mjs',
    protocol: 'KubeletCredentialProvider',
    for: [image],
    serviceAccountName: 'exec-puller',
    audience: 'issuer.test',
  }),
  secrets: {},
  serviceAccounts: ['exec-puller'],
  settings: { execPluginDir, execPluginEnv: ['REGCRED_TEST_ISSUER'] },
  env: (url) => ({ REGCRED_TEST_ISSUER: url }),
  expected: ({ secret }) => new Map([['registry.test', { username: 'puller', password: secret }]]),
  tellsExpiry: false,
  exempt: {
    'does not know us (401)': noStatus,
    'does not let us (403)': noStatus,
    'asks for fewer requests (429 with Retry-After)': noStatus,
    'redirects to another server': 'the plugin decides what it follows',
    'has a certificate that is not trusted': 'the plugin decides whom it trusts',
    'gives a login that has ended': 'the protocol does not say when a login ends',
  },
}
