/**
 * `source.vault`: HashiCorp Vault and OpenBao, by their HTTP API. What is kept there, or made by a dynamic secrets engine,
 * is read as the keys of a Secret.
 */
import { dockerConfigJsonKey } from '../api/names.ts'
import { type Given, GivenProblem } from '../model/given.ts'
import { dockerConfigOf } from '../model/source-secret.ts'
import { unusable } from './issuer.ts'
import { asObject } from './json-object.ts'
import type { Issued, Source, SourceContext, SpecOf } from './source.ts'
import { SourceProblem } from './source-problem.ts'
import { leaseHandle, leasesToEnd } from './vault-leases.ts'
import { hostOf, objectOf } from './vault-server.ts'
import { openSession, type VaultSession } from './vault-session.ts'

type Spec = SpecOf<'vault'>

/** Seconds before which nobody will have written what is missing. */
const missingRetrySeconds = 30

export const vault: Source<'vault'> = {
  async issue(spec, context, signal) {
    const session = await openSession(spec, context, signal)
    let issued: Issued | undefined
    try {
      issued =
        spec.engine === 'Dynamic'
          ? await lease(spec, context, session)
          : { given: givenBy(await readKv(spec, session), spec, context) }
      return issued
    } finally {
      // A lease ends with the token that it was got with.
      if (issued?.handle === undefined) await session.end()
    }
  },

  async retire(spec, keep, context, signal) {
    const leases = leasesToEnd(context.handle, keep, Date.now())
    if (leases.length === 0) return
    const session = await openSession(spec, context, signal)
    try {
      for (const lease_id of leases) {
        const path = 'sys/leases/revoke'
        await session.ask({ method: 'PUT', path, body: { lease_id }, check: session.check(`update ${path}`) })
      }
    } finally {
      await session.end()
    }
  },
}

async function readKv(spec: Spec, session: VaultSession): Promise<Record<string, unknown>> {
  const { mount, path, engine } = spec
  if (engine === 'KVv1') return objectOf(await read(spec, session, `${mount}/${path}`), 'data', hostOf(spec))
  const version = objectOf(await read(spec, session, `${mount}/data/${path}`), 'data', hostOf(spec))
  if (version.data === null) throw deleted(spec)
  const data = asObject(version.data)
  if (data === undefined) throw unusable(hostOf(spec), 'has no data.data; correct source.vault.engine')
  return data
}

async function lease(spec: Spec, context: SourceContext, session: VaultSession): Promise<Issued> {
  const tokenEnd = await session.tokenEnd()
  const asked = Date.now()
  const answer = await read(spec, session, `${spec.mount}/${spec.path}`)
  const { lease_id: leaseId, lease_duration: seconds } = answer
  const given = givenBy(objectOf(answer, 'data', hostOf(spec)), spec, context)
  if (typeof leaseId !== 'string' || leaseId === '') {
    throw new SourceProblem(
      'SourceInvalid',
      `${hostOf(spec)} gives no lease for ${spec.mount}/${spec.path}; correct source.vault.engine, or mount and path.`,
    )
  }
  if (typeof seconds !== 'number') throw unusable(hostOf(spec), 'has no lease_duration')
  const leaseEnd = new Date(asked + seconds * 1_000)
  const expiresAt = tokenEnd && tokenEnd < leaseEnd ? tokenEnd : leaseEnd
  return { given, expiresAt, handle: leaseHandle(leaseId, expiresAt, context.handle, asked) }
}

async function read(spec: Spec, session: VaultSession, path: string): Promise<Record<string, unknown>> {
  return await session.ask({
    method: 'GET',
    path,
    check: session.check(`read ${path}`),
    missing: ({ data }) => (asObject(asObject(data)?.metadata) ? deleted(spec) : nothingAt(spec, path)),
  })
}

function nothingAt(spec: Spec, path: string): SourceProblem {
  const fields = 'source.vault.mount, path, engine or namespace'
  const message = `${hostOf(spec)} has nothing at ${path}; write it there, or correct ${fields}.`
  return new SourceProblem('SourceNotFound', message, missingRetrySeconds)
}

function deleted(spec: Spec): SourceProblem {
  const message = `The newest version of ${spec.mount}/${spec.path} at ${hostOf(spec)} is deleted; undelete it, or write a new one.`
  return new SourceProblem('SourceNotFound', message, missingRetrySeconds)
}

/** A docker config, kept as text or as an object; else a login. @throws GivenProblem */
function givenBy(data: Record<string, unknown>, { keys }: Spec, { conceal }: SourceContext): Given {
  if (Object.hasOwn(data, dockerConfigJsonKey)) {
    const config = data[dockerConfigJsonKey]
    const text = typeof config === 'string' ? config : JSON.stringify(config)
    conceal(text)
    return dockerConfigOf(text, dockerConfigJsonKey)
  }
  const password = textUnder(keys.password, data)
  conceal(password)
  return { login: { username: textUnder(keys.username, data), password } }
}

function textUnder(key: string, data: Record<string, unknown>): string {
  const value = Object.hasOwn(data, key) ? data[key] : undefined
  if (typeof value === 'string') return value
  const wrong =
    value === undefined
      ? `it has no key ${key}; write it there, or name another by source.vault.keys`
      : `its key ${key} is not a text; write it as one, in quotes`
  throw new GivenProblem('SourceInvalid', wrong)
}
