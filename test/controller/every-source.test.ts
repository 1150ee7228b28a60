/**
 * Every source through the operator as it is installed: with its own RBAC and that of config/identities, its own settings,
 * and nothing of what it handles in any output. The issuers are those of the contract (test/sources).
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RegistryCredentialSource } from '../../src/api/registry-credential.ts'
import type { RunningOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { cases } from '../sources/cases.ts'
import type { SourceCase, Wish } from '../sources/contract.ts'
import type { IssuerServer } from '../sources/issuer-server.ts'
import { Installation } from './installation.ts'
import { Lab, operatorNamespace } from './lab.ts'
import { RESTART_TIMEOUT_MS } from './restarts.ts'

interface Trial {
  of: SourceCase
  wish: Wish
  server: IssuerServer
  namespace: string
  credential: string
}

let lab: Lab
let installation: Installation

beforeAll(async () => {
  lab = new Lab()
  installation = new Installation(lab)
  const serviceAccounts = new Set(cases.flatMap(({ serviceAccounts = [] }) => serviceAccounts))
  await installation.allowTokens([...serviceAccounts])
  for (const name of serviceAccounts) {
    await lab.create(`/api/v1/namespaces/${operatorNamespace}/serviceaccounts`, { metadata: { name } })
  }
})

afterAll(async () => {
  await installation.remove()
  await lab.close()
})

async function begin(of: SourceCase): Promise<Trial> {
  const wish = { secret: randomUUID(), expiresAt: new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000) }
  const server = await installation.issuer(
    of.issuer(() => wish),
    of.tls,
  )
  const name = `${of.kind.toLowerCase()}-${cases.indexOf(of)}`
  let source = JSON.stringify({ [of.kind]: of.spec(server.url) })
  for (const [secret, stringData] of Object.entries(of.secrets)) {
    const unique = lab.unique(`${name}-${secret}`)
    await lab.create(`/api/v1/namespaces/${operatorNamespace}/secrets`, { metadata: { name: unique }, stringData })
    source = source.replace(`"secretRef":{"name":"${secret}"}`, `"secretRef":{"name":"${unique}"}`)
  }
  const namespace = await lab.namespace(name)
  const credential = await lab.credential(name, {
    source: JSON.parse(source) as RegistryCredentialSource,
    ...(of.registries && { registries: [...of.registries] }),
    namespaces: { include: [namespace], optIn: true },
    // For GitHub's sake; no registry is asked, since the operator of the tests has no way to any.
    verify: { policy: 'Warn', image: 'registry.example.com/app:1.0' },
  })
  return { of, wish, server, namespace, credential }
}

async function operate(trials: readonly Trial[]): Promise<RunningOperator> {
  const env = Object.assign({}, ...trials.map(({ of, server }) => of.env?.(server.url)))
  const settings = Object.assign({}, ...trials.map(({ of }) => of.settings))
  const plugins = settings.execPluginDir ? [`--exec-plugin-dir=${settings.execPluginDir}`] : []
  const variables = (settings.execPluginEnv ?? []).map((name: string) => `--exec-plugin-env=${name}`)
  return await installation.start({ env, args: [...plugins, ...variables] })
}

/** What must never be seen: the secrets of the identity, those that were shown to the issuer, and what it gave. */
function secretsOf({ of, wish, server }: Trial): string[] {
  const shown = server.requests.flatMap(({ headers: { authorization = '', 'x-vault-token': token = '' } }) => [
    ...authorization.split(' ').slice(-1),
    String(token),
  ])
  const given = [...of.expected(wish, server.url).values()].map(({ password }) => password)
  const known = Object.values(of.secrets).flatMap((texts) => Object.values(texts))
  return [wish.secret, ...shown, ...given, ...known].filter((text) => text.length > 8)
}

/** Cases in one round can be served by one operator: they set no variable twice. */
function rounds(): SourceCase[][] {
  const result: { cases: SourceCase[]; variables: Set<string> }[] = []
  for (const each of cases) {
    const variables = Object.keys(each.env?.('http://issuer') ?? {})
    const fits = result.find((round) => variables.every((name) => !round.variables.has(name)))
    const round = fits ?? { cases: [], variables: new Set<string>() }
    if (fits === undefined) result.push(round)
    round.cases.push(each)
    for (const name of variables) round.variables.add(name)
  }
  return result.map(({ cases }) => cases)
}

test.each(rounds().map((of) => ({ of, kinds: of.map(({ kind }) => kind).join(', ') })))(
  'logins of $kinds reach their namespaces, and a refusal is told, without a word of what is secret',
  async ({ of }) => {
    const trials = await Promise.all(of.map(begin))
    const operator = await operate(trials)
    try {
      for (const { of, wish, server, namespace, credential } of trials) {
        const { status } = await lab.ready(credential)
        const expected = of.expected(wish, server.url)
        expect(await lab.logins(namespace)).toEqual(Object.fromEntries(expected))
        if (of.tellsExpiry) {
          const expiresAt = new Date(status?.credential?.expiresAt ?? '')
          expect(Math.abs(expiresAt.getTime() - wish.expiresAt.getTime())).toBeLessThan(2_000)
        }
        expect(status?.credential?.nextRefreshAt).toBeDefined()
      }
      for (const { server, credential } of trials) {
        server.misbehaviour = (response) => response.writeHead(403, { 'content-type': 'text/plain' }).end('no')
        await lab.cluster.kubectl('annotate', 'rcred', credential, 'regcred.dev/refresh=now')
      }
      for (const { credential } of trials) {
        await lab.condition(credential, 'RefreshFailing', 'True')
        expect((await lab.readCredential(credential)).status?.conditions).toContainEqual(
          expect.objectContaining({ type: 'Ready', status: 'True' }),
        )
        await eventually(async () => expect((await lab.events(credential)).length).toBeGreaterThan(0))
      }
      const told = [operator.logs(), await operator.metrics()]
      for (const trial of trials) {
        const { credential } = trial
        const seen = [
          ...told,
          JSON.stringify([await lab.readCredential(credential), await lab.events(credential)]),
        ].join()
        const leaked = secretsOf(trial).filter((secret) => seen.includes(secret))
        expect([trial.of.kind, leaked.length]).toEqual([trial.of.kind, 0])
      }
    } finally {
      await operator.stop()
      for (const { credential } of trials) await lab.patchCredential(credential, { suspend: true })
      await Promise.all(trials.map(({ server }) => server.stop()))
    }
  },
  RESTART_TIMEOUT_MS,
)
