/** Every source of the contract (test/sources) in an operator as it is installed: a credential, its issuer, its namespace. */
import { randomUUID } from 'node:crypto'
import type { RegistryCredentialSource } from '../../src/api/registry-credential.ts'
import { cases } from '../sources/cases.ts'
import type { SourceCase, Wish } from '../sources/contract.ts'
import type { IssuerServer } from '../sources/issuer-server.ts'
import type { Installation } from './installation.ts'
import { type Lab, operatorNamespace } from './lab.ts'

export interface Trial {
  of: SourceCase
  wish: Wish
  server: IssuerServer
  namespace: string
  credential: string
}

/** Lets the operator ask for the tokens of all ServiceAccounts that the cases name, and makes these. */
export async function allowIdentities(lab: Lab, installation: Installation): Promise<void> {
  const serviceAccounts = new Set(cases.flatMap(({ serviceAccounts = [] }) => serviceAccounts))
  await installation.allowTokens([...serviceAccounts])
  for (const name of serviceAccounts) {
    await lab.create(`/api/v1/namespaces/${operatorNamespace}/serviceaccounts`, { metadata: { name } })
  }
}

/** Cases in one round can be served by one operator: they set no variable twice. */
export function rounds(): SourceCase[][] {
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

/** Starts the issuer and makes what the case names. @param secret of the wish */
export async function begin(lab: Lab, installation: Installation, of: SourceCase, secret: string): Promise<Trial> {
  const wish = { secret, expiresAt: new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000) }
  const server = await installation.issuer(
    of.issuer(() => wish),
    of.tls,
  )
  const name = `${of.kind.toLowerCase()}-${cases.indexOf(of)}-${randomUUID().slice(0, 4)}`
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

/** The settings of the operator that the cases need. */
export function settingsFor(trials: readonly Trial[]): { env: Record<string, string>; args: string[] } {
  const env = Object.assign({}, ...trials.map(({ of, server }) => of.env?.(server.url)))
  const { execPluginDir, execPluginEnv = [] } = Object.assign({}, ...trials.map(({ of }) => of.settings))
  const variables = execPluginEnv.map((name: string) => `--exec-plugin-env=${name}`)
  return { env, args: [...(execPluginDir ? [`--exec-plugin-dir=${execPluginDir}`] : []), ...variables] }
}
