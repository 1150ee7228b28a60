/** What is read from others and may be anything: each with valid cases to start from. */
import {
  DockerConfigProblem,
  decodeBase64,
  formatDockerConfigJson,
  parseDockerCfg,
  parseDockerConfigJson,
} from '../../src/model/docker-config.ts'
import { parseChallenges } from '../../src/registry/challenge.ts'
import { readHelper } from '../../src/sources/docker-helper.ts'
import { expiryOf } from '../../src/sources/jwt.ts'
import { readAnswer } from '../../src/sources/kubelet-plugin.ts'
import { answerOf } from '../../src/sources/plugin-answer.ts'
import { SourceProblem } from '../../src/sources/source-problem.ts'
import type { Random } from '../support/random.ts'
import { canary } from './canary.ts'
import { bytesOf, damaged, noise } from './damage.ts'
import { type Json, quoted, write } from './json-text.ts'
import type { Target } from './target.ts'

const registries = ['ghcr.io', 'https://index.docker.io/v1/', `https://user:${canary}@a.io`, '__proto__', ''] as const

/** A text, damaged or not, as bytes; or bytes of chance. */
function caseOf(text: (random: Random) => string): Target['make'] {
  return (random) => (random.once(10) ? noise(random) : bytesOf(damaged(text(random), random), random))
}

function dockerConfig(random: Random): string {
  const auth = Buffer.from(`user${random.text(random.below(3), 'x')}:${canary}`).toString('base64')
  const entry = (): Json => [
    ['auth', quoted(random.pick([auth, auth.replaceAll('=', ''), canary, `${auth}\n`]))],
    ['username', '"user"'],
    ['password', quoted(canary)],
    ['email', '"user@example.com"'],
  ]
  const auths = Array.from({ length: random.below(4) }, () => [random.pick(registries), entry()] as const)
  return write(
    [
      ['auths', auths],
      ['HttpHeaders', [['X-Token', quoted(canary)]]],
    ],
    random,
  )
}

/** Both of its forms, from the base64 of the API; what has been read is written and read once more. */
function readDockerConfig(bytes: Buffer): string | undefined {
  const text = decodeBase64(bytes.toString('base64'))
  if (text === undefined) return undefined
  for (const parse of [parseDockerCfg, parseDockerConfigJson]) {
    const entries = parse(text)
    for (const entry of entries.values()) {
      if (!Object.values(entry).every((value) => typeof value === 'string')) return 'an entry is not of strings'
    }
    const again = parseDockerConfigJson(formatDockerConfigJson(entries))
    if (again.size !== entries.size) return 'entries were lost in writing'
  }
  return undefined
}

const challengeParts = [
  () => 'Bearer ',
  () => 'Basic ',
  () => 'Negotiate',
  () => `Digest ${canary}== `,
  () => 'realm="https://auth.example/token"',
  () => `realm=https://user:${canary}@auth.example`,
  () => `service="${canary}"`,
  () => `scope = "repository:a/b:pull,push"`,
  () => String.raw`error="invalid \"token\" \\"`,
  () => '__proto__="x"',
  () => 'constructor=x',
  () => 'realm="open',
  () => '"',
  () => '\\',
  () => ',',
  () => '=',
  (random: Random) =>
    random.pick(['"', '\\', ' ', ',', 'a', 'a ', '=', '\\"', '\t', 'a=', 'a="']).repeat(random.below(20)),
  (random: Random) =>
    random.pick(['"', '\\', ' ', ',', 'a', 'a ', '=', '\\"', '\t', 'a=', 'a="']).repeat(maxHeader(random)),
] as const

/** A header has 16 KiB at most (Node's maxHeaderSize), but rarely. */
function maxHeader(random: Random): number {
  return random.once(100) ? 16_384 : 8
}

function challenge(random: Random): string {
  const parts = Array.from({ length: random.below(8) }, () => random.pick(challengeParts)(random))
  return parts.join(random.pick([',', ', ', ' ', '']))
}

/** Bytes of a header are characters of Latin-1. */
function readChallenges(bytes: Buffer): string | undefined {
  for (const { scheme, parameters } of parseChallenges(bytes.toString('latin1'))) {
    const names = [...parameters.keys()]
    if ([scheme, ...names].some((name) => name === '' || name !== name.toLowerCase()))
      return 'a name is not in lower case'
  }
  return undefined
}

function pluginAnswer(random: Random): string {
  const login: Json = [
    ['username', '"user"'],
    ['password', quoted(canary)],
  ]
  const helper: Json = [
    ['ServerURL', '"https://ghcr.io"'],
    ['Username', random.pick(['"user"', '"<token>"'])],
    ['Secret', quoted(canary)],
  ]
  const provider: Json = [
    ['apiVersion', '"credentialprovider.kubelet.k8s.io/v1"'],
    ['kind', '"CredentialProviderResponse"'],
    ['cacheKeyType', random.pick(['"Image"', '"Registry"', '"Global"'])],
    ['cacheDuration', quoted(random.pick(['6h0m0s', '0s', '-1h', canary, '1'.repeat(500), `${'9'.repeat(400)}h`]))],
    ['auth', Array.from({ length: random.below(3) }, () => [random.pick(registries), login] as const)],
  ]
  return write(random.pick([helper, provider]), random)
}

/** As an answer of plugins of both protocols. */
function readPluginAnswer(stdout: Buffer): string | undefined {
  const end = { exitCode: 0, stdout }
  const body = answerOf(end, 'plugin')
  if (Object.getPrototypeOf(body) !== Object.prototype) return 'the answer has another prototype'
  if (body.kind === undefined) return strings(Object.values(readHelper(end, 'plugin', 'https://ghcr.io')))
  const { cacheDuration, entries } = readAnswer(body, 'Plugin plugin')
  if (cacheDuration !== undefined && !Number.isFinite(cacheDuration)) return 'the cache duration is without end'
  return strings([...entries.values()].flatMap((entry) => Object.values(entry)))
}

function strings(values: readonly unknown[]): string | undefined {
  return values.every((value) => typeof value === 'string') ? undefined : 'a login is not of strings'
}

function token(random: Random): string {
  const part = (value: Json) => {
    const bytes = bytesOf(damaged(write(value, random), random), random)
    return bytes.toString(random.pick(['base64url', 'base64url', 'base64']))
  }
  const header = part([['alg', '"RS256"']])
  const exp = random.pick(['1800000000', '1800000000.5', '-1', '"1800000000"', '1e15', '1e400', '9'.repeat(400)])
  const payload = part([
    ['sub', quoted(canary)],
    ['exp', exp],
  ])
  return [header, payload, Buffer.from(canary).toString('base64url')].join('.')
}

function readToken(bytes: Buffer): string | undefined {
  const expiry = expiryOf(bytes.toString())
  return expiry !== undefined && Number.isNaN(expiry.getTime()) ? 'the expiry is no date' : undefined
}

/** By name. */
export const targets: Readonly<Record<string, Target>> = {
  'a docker config': { make: caseOf(dockerConfig), read: readDockerConfig, declared: [DockerConfigProblem] },
  'a WWW-Authenticate header': { make: caseOf(challenge), read: readChallenges, declared: [] },
  "a plugin's answer": { make: caseOf(pluginAnswer), read: readPluginAnswer, declared: [SourceProblem] },
  'a JSON Web Token': { make: caseOf(token), read: readToken, declared: [] },
}
