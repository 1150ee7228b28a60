/** The login that `create` is given: by flags, in a file of docker's, or in a Secret. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { secretPath } from '../controller/secret-writer.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Entries } from '../model/docker-config.ts'
import { entriesOf, type Given, GivenProblem } from '../model/given.ts'
import { canonicalKey, KeyProblem } from '../model/registry-key.ts'
import { dockerConfigOf, givenBy, type SourceSecret } from '../model/source-secret.ts'
import { isObjectName } from './object-name.ts'
import { tell } from './output.ts'
import { Problem } from './problem.ts'

export interface LoginFlags {
  dockerServer: string
  dockerUsername?: string
  dockerPassword?: string
  passwordStdin?: true
  dockerEmail?: string
  fromDockerConfig?: string
  fromFile?: string
  fromSecret?: string
}

export interface SecretName {
  namespace: string
  name: string
}

/** Where the login is, when the flags have been read. */
export type Origin = { flags: LoginFlags } | { file: string } | { secret: SecretName }

/** @throws Problem unless it is exactly one */
export function originOf(flags: LoginFlags): Origin {
  const file = flags.fromDockerConfig ?? flags.fromFile
  const password = flags.dockerPassword !== undefined || flags.passwordStdin
  const isByFlags = flags.dockerUsername !== undefined || password
  if ([isByFlags, file, flags.fromSecret].filter(Boolean).length !== 1) {
    throw new Problem(
      'the login is given by one of: --docker-username with --password-stdin, --from-docker-config, --from-secret',
    )
  }
  if (file !== undefined) return { file: file.replace(/^\.dockerconfigjson=/, '') }
  if (flags.fromSecret !== undefined) return { secret: secretNameOf(flags.fromSecret) }
  if (flags.dockerUsername === undefined) throw new Problem('--docker-username is missing')
  if (flags.dockerPassword !== undefined && flags.passwordStdin) {
    throw new Problem('--docker-password and --password-stdin exclude each other')
  }
  if (!password) throw new Problem('the password is missing; --password-stdin reads it from standard input')
  return { flags }
}

/** As it is to be stored: only what `registries` asks for. @throws Problem, ApiError */
export async function readLogin(
  origin: Exclude<Origin, { secret: SecretName }>,
  registries: readonly string[] | undefined,
): Promise<Entries> {
  if ('flags' in origin) {
    const entries = await byFlags(origin.flags)
    return usable('the login', () => ({ entries }), registries)
  }
  const { file } = origin
  let content: string
  try {
    content = decoded(await readFile(file), file)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const form = basename(file) === '.dockercfg' ? '.dockercfg' : '.dockerconfigjson'
  return usable(file, () => dockerConfigOf(content, form), registries)
}

/** What a Secret gives. @throws Problem, ApiError */
export async function readLoginSecret(
  client: KubeClient,
  { namespace, name }: SecretName,
  registries: readonly string[] | undefined,
): Promise<Entries> {
  const secret = await client.get<KubeObject & Partial<SourceSecret>>(secretPath(namespace, name))
  const { type = 'Opaque', data = {} } = secret
  return usable(`Secret ${namespace}/${name}`, () => givenBy({ type, data }), registries)
}

function secretNameOf(given: string): SecretName {
  const [namespace = '', name = '', ...rest] = given.split('/')
  if (!isObjectName(namespace) || !isObjectName(name) || rest.length > 0) {
    throw new Problem(`--from-secret: "${given}" is not of the form NAMESPACE/NAME`)
  }
  return { namespace, name }
}

async function byFlags({
  dockerServer,
  dockerUsername = '',
  dockerPassword,
  dockerEmail,
}: LoginFlags): Promise<Entries> {
  if (dockerPassword !== undefined) {
    tell(
      'Warning: --docker-password can be seen by other users of this machine, and stays in the history of your shell; --password-stdin is safer',
    )
  }
  const password = dockerPassword ?? (await passwordFromStdin())
  const entry = { username: dockerUsername, password, ...(dockerEmail && { email: dockerEmail }) }
  try {
    return new Map([[canonicalKey(dockerServer), entry]])
  } catch (error) {
    // It is not quoted: whoever mixes up the flags has given the password.
    if (error instanceof KeyProblem) throw new Problem(`what --docker-server gives ${error.message}`)
    throw error
  }
}

/** As docker and podman take it: the line break at its end is not of the password. */
async function passwordFromStdin(): Promise<string> {
  if (process.stdin.isTTY) tell('The password is read from standard input, where it can be seen; end it with Ctrl-D.')
  const password = decoded(await buffer(process.stdin), '--password-stdin: the password').replace(/\r?\n$/, '')
  if (password === '') throw new Problem('--password-stdin: there was no password on standard input')
  return password
}

/** What is no UTF-8 would be stored as other characters, and refused by the registry. @throws Problem */
function decoded(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Problem(`${what} is not text in UTF-8`)
  }
}

/** @param what it is called in messages @throws Problem, instead of GivenProblem */
function usable(what: string, read: () => Given, registries: readonly string[] | undefined): Entries {
  try {
    const given = read()
    return entriesOf(registries === undefined ? given : withoutOthers(given), registries)
  } catch (error) {
    if (!(error instanceof GivenProblem)) throw error
    throw new Problem(`${what} cannot be used: ${error.message.replaceAll('spec.registries', '--registries')}`)
  }
}

/** Of a file with many entries, those that could never be used hinder only who asks for all. */
function withoutOthers(given: Given): Given {
  if ('login' in given) return given
  const entries = [...given.entries].filter(([key, { username, password }]) => {
    try {
      return canonicalKey(key) !== '' && username !== '' && password !== ''
    } catch {
      return false
    }
  })
  return { entries: new Map(entries) }
}
