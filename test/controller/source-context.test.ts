/** What sources do not get of the operator's own namespace: what would open the cluster, or other credentials. */
import { expect, test } from '@jest/globals'
import type { RegistryCredentialSource } from '../../src/api/registry-credential.ts'
import { issue } from '../../src/sources/sources.ts'
import { SourceLab } from '../sources/lab.ts'

const never = new AbortController().signal

/** Asks for a login of a Vault that keeps what it is sent. */
async function sentToVault(lab: SourceLab, proof: object): Promise<{ sent: string; problem: unknown }> {
  const vault = await lab.issuer(() => ({ body: { data: { data: { username: 'user', password: 'pass' } } } }))
  const at = { url: vault.url, mount: 'secret', path: 'app', engine: 'KVv2' }
  const source = { vault: { ...at, keys: { username: 'username', password: 'password' }, ...proof } }
  const asked = issue(source as RegistryCredentialSource, lab.context({ registries: ['ghcr.io'] }), never)
  const problem = await asked.then(
    () => undefined,
    (error: unknown) => error,
  )
  return { sent: JSON.stringify(vault.requests), problem }
}

const kubernetes = (serviceAccountName: string) => ({
  kubernetes: { role: 'any', serviceAccountName, mount: 'kubernetes', audience: 'https://kubernetes.default.svc' },
})

test.each(['regcred-operator-key', 'regcred-operator-state-0'])('%s is no source', async (name) => {
  const lab = await SourceLab.open()
  await lab.secret(name, { token: 'what-the-operator-keeps', username: 'user', password: 'what-the-operator-keeps' })
  const message = expect.stringContaining(`Secret ${name}`)
  const { sent, problem } = await sentToVault(lab, { secretRef: { name } })
  expect(problem).toMatchObject({ name: 'SourceProblem', reason: 'SourceInvalid', message })
  expect(sent).toBe('[]')
  const asLogin = issue({ secretRef: { name } }, lab.context({ registries: ['ghcr.io'] }), never)
  await expect(asLogin).rejects.toMatchObject({ name: 'SourceProblem', reason: 'SourceInvalid', message })
})

test("a Secret with a ServiceAccount's token for the API server is sent to nobody", async () => {
  const lab = await SourceLab.open()
  await lab.serviceAccount('someone')
  const annotations = { 'kubernetes.io/service-account.name': 'someone' }
  await lab.secret('someone-token', { token: 'made-up' }, { type: 'kubernetes.io/service-account-token', annotations })
  const { sent, problem } = await sentToVault(lab, { secretRef: { name: 'someone-token' } })
  const message = expect.stringContaining('Secret someone-token')
  expect(problem).toMatchObject({ name: 'SourceProblem', reason: 'SourceInvalid', message })
  expect(sent).toBe('[]')
})

test("a token of the operator's own ServiceAccount is asked for by nobody", async () => {
  const lab = await SourceLab.open()
  await lab.serviceAccount('regcred-operator')
  const { sent, problem } = await sentToVault(lab, kubernetes('regcred-operator'))
  const message = expect.stringContaining('ServiceAccount regcred-operator')
  expect(problem).toMatchObject({ name: 'SourceProblem', reason: 'SourceInvalid', message })
  expect(sent).toBe('[]')
})
