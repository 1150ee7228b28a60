/** What a Secret of the operator's namespace gives as a source. Messages name the entry, never its content. */
import { dockerConfigJsonKey } from '../api/names.ts'
import {
  DockerConfigProblem,
  decodeBase64,
  type Entries,
  parseDockerCfg,
  parseDockerConfigJson,
} from './docker-config.ts'
import { type Given, GivenProblem } from './given.ts'
import { printableKey } from './registry-key.ts'

/** Under which key a type of Secret holds its docker config. */
const dockerConfigFields = {
  'kubernetes.io/dockerconfigjson': dockerConfigJsonKey,
  'kubernetes.io/dockercfg': '.dockercfg',
}

export interface SourceSecret {
  type: string
  /** Values in base64, as the API has them. */
  data: Readonly<Record<string, string>>
}

/** @throws GivenProblem */
export function givenBy(secret: SourceSecret): Given {
  switch (secret.type) {
    case 'kubernetes.io/dockerconfigjson':
      return dockerConfigOf(read(secret, dockerConfigFields[secret.type]), dockerConfigFields[secret.type])
    case 'kubernetes.io/dockercfg':
      return dockerConfigOf(read(secret, dockerConfigFields[secret.type]), dockerConfigFields[secret.type])
    case 'kubernetes.io/basic-auth':
    case 'Opaque':
      return readLogin(secret)
    default:
      throw invalid(
        'its type is not one of kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/basic-auth, Opaque',
      )
  }
}

/**
 * A docker config as text.
 * @param field what it is called where it comes from; `.dockercfg` is the form without `auths`
 * @throws GivenProblem
 */
export function dockerConfigOf(text: string | undefined, field: string): Given {
  if (text === undefined) throw invalid(`it has no key ${field}`)
  const entries = parsed(text, field, field === dockerConfigFields['kubernetes.io/dockercfg'])
  if (entries.size === 0) {
    throw invalid(
      `${field} has no entries under auths; credentials kept in credsStore or credHelpers stay on that machine`,
    )
  }
  return { entries }
}

/** The text under a key. @throws GivenProblem when it is not text */
export function read(secret: SourceSecret, field: string): string | undefined {
  const value = Object.hasOwn(secret.data, field) ? secret.data[field] : undefined
  if (value === undefined) return undefined
  const text = decodeBase64(value)
  if (text === undefined) throw invalid(`${field} is not UTF-8 text`)
  return text
}

function parsed(text: string, field: string, isDockerCfg: boolean): Entries {
  try {
    return isDockerCfg ? parseDockerCfg(text) : parseDockerConfigJson(text)
  } catch (problem) {
    if (!(problem instanceof DockerConfigProblem)) throw problem
    const entry = problem.key === undefined ? '' : `entry ${printableKey(problem.key) ?? '(name not shown)'} in `
    throw invalid(`${entry}${field} cannot be read: ${problem.message}`)
  }
}

function readLogin(secret: SourceSecret): Given {
  const [username = '', password = ''] = ['username', 'password'].map((field) => {
    const value = read(secret, field)
    if (value === undefined) throw invalid(`it has no key ${field}; ${cureFor(secret)}`)
    return value
  })
  return { login: { username, password } }
}

/** A docker config in a Secret of type Opaque is what `kubectl create secret generic --from-file` makes of it. */
function cureFor({ type, data }: SourceSecret): string {
  const fields = Object.entries(dockerConfigFields)
  const [meant, field] = fields.find(([, field]) => Object.hasOwn(data, field)) ?? []
  if (meant === undefined) return `type ${type} needs username and password`
  return `it holds ${field}, but is of type ${type}: create it anew as type ${meant}`
}

function invalid(message: string): GivenProblem {
  return new GivenProblem('SourceInvalid', message)
}
