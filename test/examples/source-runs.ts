/**
 * What the examples of the sources need to run: an issuer on loopback in the place of the real one, which answers as in the
 * contract (test/sources), and what must come of it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeClient } from '../../src/kube/client.ts'
import type { Login } from '../controller/lab.ts'
import { acrAssertionCase } from '../sources/acr.case.ts'
import { awsIssuer, hostIn, keysOf, passwordOf } from '../sources/aws-issuer.ts'
import type { SourceCase, Wish } from '../sources/contract.ts'
import { ecrPublicCase } from '../sources/ecr-public.case.ts'
import { garFederationCase } from '../sources/gar.case.ts'
import { githubCase } from '../sources/github.case.ts'
import { GitLab } from '../sources/gitlab-server.ts'
import { Harbor } from '../sources/harbor-server.ts'
import type { Handler } from '../sources/issuer-server.ts'
import { LoopbackVault } from '../sources/loopback-vault.ts'
import { quayCase } from '../sources/quay.case.ts'
import { tokenExchangeCase } from '../sources/token-exchange.case.ts'

export interface Run {
  /** Missing: nobody is asked. @param client for TokenReviews */
  issuer?(wish: Wish, client: KubeClient): Handler
  tls?: true
  /** Environment variables by which the operator finds the issuer. */
  env?(url: string): Readonly<Record<string, string>>
  /** Fields of `spec.source.<kind>` by which it does. */
  fields?(url: string): Readonly<Record<string, string>>
  /** The host in `spec.registries` that is the issuer's. */
  host?: string
  /** Texts that the issuer checks, for those that are made up: key of the Secret → text. */
  texts?: Readonly<Record<string, string>>
  /** What must stand in the Secret of the namespace: docker config key → login. Asked after it has been given. */
  expected(wish: Wish, url: string): Readonly<Record<string, Login>>
}

/** What is kept in Vault and in files. */
export const kept: Login = { username: 'acme', password: 'example-of-a-kept-password' }

const aws: Pick<Run, 'issuer' | 'env'> = {
  issuer: (wish) => awsIssuer(() => wish),
  env: (url) => ({ AWS_ENDPOINT_URL: url }),
}
const gitlab = new GitLab()
const harbor = new Harbor()
const [robot, otherRobot] = ['robot$acme+pull-a', 'robot$acme+pull-b'] as const

/** By the folder in examples/sources. */
export const runs: Readonly<Record<string, Run>> = {
  acr: {
    ...by(acrAssertionCase, (host) => [`${host}/team/app`, `${host}/team/base`]),
    fields: (url) => ({ registry: new URL(url).host }),
  },
  ecr: { ...aws, expected: (wish) => ({ ...ecrLogin(wish, 'eu-central-1'), ...ecrLogin(wish, 'us-east-1') }) },
  'ecr-public': by(ecrPublicCase, () => ['public.ecr.aws']),
  exec: { ...aws, expected: (wish) => ecrLogin(wish, 'eu-central-1') },
  files: { expected: () => ({ 'docker.io/acme/': kept }) },
  gar: {
    ...by(garFederationCase, () => []),
    expected: () => ({
      // Nobody is impersonated, so it is the federated token itself.
      'europe-docker.pkg.dev/acme/': { username: 'oauth2accesstoken', password: 'federated-5d0a1b' },
    }),
  },
  github: { ...by(githubCase, () => ['ghcr.io/acme/']), fields: (url) => ({ url }) },
  gitlab: {
    issuer: () => gitlab.handler('groups/acme'),
    fields: (url) => ({ url, registry: new URL(url).host }),
    host: 'registry.gitlab.com',
    expected: (_, url) =>
      Object.fromEntries(
        gitlab.tokens.map(({ username, token }) => [`${new URL(url).host}/acme/`, { username, password: token }]),
      ),
  },
  harbor: {
    issuer() {
      const robots = [robot, otherRobot].map((name, id) => ({ id, name, disable: false, expires_at: -1 }))
      harbor.acme.push(...robots)
      return harbor.answer
    },
    fields: (url) => ({ url }),
    host: 'harbor.example.com',
    expected: (_, url) => ({
      [`${new URL(url).host}/acme`]: { username: robot, password: harbor.secrets.get(robot) ?? '' },
    }),
  },
  quay: { ...by(quayCase, (host) => [`${host}/acme/`]), fields: (url) => ({ url }), host: 'quay.io' },
  'token-exchange': {
    ...by(tokenExchangeCase, () => ['registry.example.com']),
    fields: (issuer) => ({ issuer }),
  },
  vault: {
    /** Set up as docs/how-to/sources/vault.md says. */
    issuer(_, client) {
      const vault = new LoopbackVault(client)
      const policy = readFileSync(join('examples', 'sources', 'vault', 'policy.hcl'), 'utf8')
      const paths = [...policy.matchAll(/^path "(.+)"/gm)].map(([, path = '']) => path)
      vault.roles.set('kubernetes/regcred', { serviceAccount: 'vault-reader', audience: 'vault', paths, ttl: 600 })
      vault.put('secret/data/registry/dockerhub', { ...kept })
      return vault.answer
    },
    fields: (url) => ({ url }),
    expected: () => ({ 'docker.io/acme/': kept }),
  },
}

/** As in the contract, whose login must stand under these keys. @param keys for a host that the issuer has */
function by(of: SourceCase, keys: (host: string) => readonly string[]): Run {
  return {
    issuer: (wish) => of.issuer(() => wish),
    ...(of.tls && { tls: of.tls }),
    ...(of.env && { env: of.env }),
    texts: Object.assign({}, ...Object.values(of.secrets)),
    expected(wish, url) {
      const [login] = of.expected(wish, url).values()
      if (login === undefined) throw new Error(`the case of ${of.kind} expects no login`)
      return Object.fromEntries(keys(new URL(url).host).map((key) => [key, login]))
    },
  }
}

/** Of the role that the examples name. */
function ecrLogin(wish: Wish, region: string): Record<string, Login> {
  const password = passwordOf(wish, keysOf('regcred-pull').accessKeyId, region)
  return { [hostIn(region)]: { username: 'AWS', password } }
}
