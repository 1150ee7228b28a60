/** Source Secrets as users make them: those that can be used, with what comes of them, and those that cannot. */

import { maxSecretBytes } from '../../src/model/docker-config.ts'
import { sized } from '../model/source-secret-cases.ts'

/** Key → text, before base64. */
export type Texts = Record<string, string>

export interface Usable {
  name: string
  type: string
  texts: Texts
  registries?: string[]
  /** `auths` of the docker config in the namespaces. */
  expected: object
}

export interface Unusable {
  name: string
  type: string
  good: Texts
  bad: Texts
  registries?: string[]
  /** What people must be told. */
  told: RegExp
  /** What nobody may be told. */
  hidden: string[]
}

export const dockerConfigType = 'kubernetes.io/dockerconfigjson'
const hub = 'https://index.docker.io/v1/'

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** An entry as the operator writes it. */
export function entry(username: string, password: string) {
  return { username, password, auth: base64(`${username}:${password}`) }
}

/** The data of a source Secret of type kubernetes.io/dockerconfigjson. */
export function auths(entries: object): Texts {
  return { '.dockerconfigjson': JSON.stringify({ auths: entries }) }
}

export const usable: Usable[] = [
  {
    name: 'docker config with auth only',
    type: dockerConfigType,
    texts: auths({
      'https://GHCR.io/v2/': { auth: base64('robot:colon:in-password') },
      'docker.io/Acme': entry('a', 'b'),
    }),
    expected: { 'docker.io/acme/': entry('a', 'b'), 'ghcr.io': entry('robot', 'colon:in-password') },
  },
  {
    name: 'docker config with username and password, and an e-mail address',
    type: dockerConfigType,
    texts: auths({ 'docker.io': { username: 'robot', password: 'pässwörd', email: 'robot@example.com' } }),
    expected: { [hub]: { ...entry('robot', 'pässwörd'), email: 'robot@example.com' } },
  },
  {
    name: 'docker config of which a part is wanted',
    type: dockerConfigType,
    texts: auths({ 'ghcr.io': entry('a', 'b'), 'quay.io': entry('c', 'd'), 'docker.io': entry('e', 'f') }),
    registries: ['https://ghcr.io', 'quay.io/acme'],
    expected: { 'ghcr.io': entry('a', 'b'), 'quay.io/acme/': entry('c', 'd') },
  },
  {
    name: 'docker config that makes the largest pull Secret there can be',
    type: dockerConfigType,
    texts: auths({ 'ghcr.io': sized(maxSecretBytes) }),
    expected: { 'ghcr.io': { ...entry('u', 'p'), ...sized(maxSecretBytes) } },
  },
  {
    name: 'legacy docker config',
    type: 'kubernetes.io/dockercfg',
    texts: { '.dockercfg': JSON.stringify({ 'registry.example.com:5000': { auth: base64('robot:secret') } }) },
    expected: { 'registry.example.com:5000': entry('robot', 'secret') },
  },
  {
    name: 'basic-auth',
    type: 'kubernetes.io/basic-auth',
    texts: { username: 'robot', password: 'secret' },
    registries: ['docker.io', 'ghcr.io/acme'],
    expected: { [hub]: entry('robot', 'secret'), 'ghcr.io/acme/': entry('robot', 'secret') },
  },
  {
    name: 'Secret with username and password',
    type: 'Opaque',
    texts: { username: 'robot', password: 'secret', unrelated: 'x' },
    registries: ['registry.example.com'],
    expected: { 'registry.example.com': entry('robot', 'secret') },
  },
]

const goodAuths = auths({ 'ghcr.io': entry('robot', 'good-before') })
const goodLogin = { username: 'robot', password: 'good-before' }

export const unusable: Unusable[] = [
  {
    name: 'an entry without a colon',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'ghcr.io': { auth: base64('tellerandmore') } }),
    told: /entry ghcr\.io in \.dockerconfigjson/,
    hidden: ['tellerandmore', base64('tellerandmore')],
  },
  {
    name: 'an entry that is not base64',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'quay.io': entry('a', 'b'), 'ghcr.io': { auth: '#cm9ib3Q6aGlkZGVu' } }),
    told: /entry ghcr\.io in \.dockerconfigjson.*illegal base64/,
    hidden: ['cm9ib3Q6aGlkZGVu', 'hidden'],
  },
  {
    name: 'an entry that is a string',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'ghcr.io': 'robot:hunter-string' }),
    told: /entry ghcr\.io in \.dockerconfigjson/,
    hidden: ['hunter-string'],
  },
  {
    name: 'an entry with an identity token only',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'ghcr.io': { auth: base64('robot:'), identitytoken: 'identity-hunter' } }),
    told: /entry ghcr\.io lacks/,
    hidden: ['identity-hunter', base64('robot:')],
  },
  {
    name: 'a line break in a password',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'ghcr.io': entry('robot', 'hunter-line\n') }),
    told: /entry ghcr\.io has a line break/,
    hidden: ['hunter-line', base64('robot:hunter-line\n')],
  },
  {
    name: 'a password in the name of an entry',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'https://robot:hunter-key@ghcr.io': entry('robot', 'hunter-too') }),
    told: /entry number 1/,
    hidden: ['hunter-key', 'hunter-too'],
  },
  {
    name: 'a login as the name of an entry',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'robot:hunter-name': entry('robot', 'hunter-name') }),
    told: /entry number 1 has a port that is not a number/,
    hidden: ['hunter-name'],
  },
  {
    name: 'no entries at all',
    type: dockerConfigType,
    good: goodAuths,
    bad: { '.dockerconfigjson': JSON.stringify({ auths: {}, credsStore: 'desktop' }) },
    told: /\.dockerconfigjson has no entries/,
    hidden: [],
  },
  {
    name: 'a pull Secret of one byte too many',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'ghcr.io': sized(maxSecretBytes + 1) }),
    told: /pull Secret of more than 1 MiB.*spec\.registries/,
    hidden: [],
  },
  {
    name: 'no entry for a registry that is asked for',
    type: dockerConfigType,
    good: goodAuths,
    bad: auths({ 'quay.io': entry('robot', 'hunter-other') }),
    registries: ['ghcr.io'],
    told: /no entry for ghcr\.io/,
    hidden: ['hunter-other'],
  },
  {
    name: 'a basic-auth without a password',
    type: 'kubernetes.io/basic-auth',
    good: goodLogin,
    bad: { username: 'hunter-alone' },
    registries: ['ghcr.io'],
    told: /no key password/,
    hidden: ['hunter-alone'],
  },
  {
    name: 'an Opaque without a username',
    type: 'Opaque',
    good: goodLogin,
    bad: { user: 'robot', password: 'hunter-opaque' },
    registries: ['ghcr.io'],
    told: /no key username/,
    hidden: ['hunter-opaque'],
  },
  {
    name: 'a line break in a basic-auth password',
    type: 'kubernetes.io/basic-auth',
    good: goodLogin,
    bad: { username: 'robot', password: 'hunter-echo\n' },
    registries: ['ghcr.io'],
    told: /line break/,
    hidden: ['hunter-echo'],
  },
]
