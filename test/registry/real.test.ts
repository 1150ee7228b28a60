/** The verdicts of a real registry, distribution's, with passwords and with a token server that has a private CA. */
import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Outbound } from '../../src/http/outbound.ts'
import { basic } from '../../src/registry/registry-client.ts'
import { Verifier } from '../../src/registry/verify.ts'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { pushImage } from '../parts/push.ts'
import { startRegistry } from '../parts/registry.ts'
import { startTokenServer } from '../parts/token-server.ts'
import { entry } from './scripted.ts'

const folder = temporaryFolders()
const running: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop()
})

function started<Part extends { stop(): Promise<unknown> }>(part: Part): Part {
  running.push(part.stop)
  return part
}

/** @param ca PEM of an authority that is trusted */
function outbound(ca?: string): Outbound {
  const file = `${folder()}/ca.pem`
  if (ca !== undefined) writeFileSync(file, ca)
  const outbound = new Outbound({ caFiles: ca === undefined ? [] : [file], insecureHosts: [], env: {} })
  running.push(() => outbound.close())
  return outbound
}

/** Verdict and reason for one login of a registry. @param image repository and tag */
async function verdict({ fetch }: Outbound, host: string, login: string, image?: string): Promise<string> {
  const entries = new Map([[host, entry(login)]])
  const { signal } = new AbortController()
  const result = await new Verifier(fetch).verify(entries, image && `${host}/${image}`, signal)
  return `${result.verdict} ${result.reason}`
}

describe('with passwords', () => {
  test('a password that is rotated under the registry makes a valid login invalid, and the new one valid', async () => {
    const registry = started(await startRegistry({ auth: { htpasswd: { alice: 'first' } } }))
    await pushImage(registry.url, 'team/app', '1', { authorization: basic(entry('alice:first')) })
    const out = outbound()
    expect(await verdict(out, registry.host, 'alice:first')).toBe('Valid Accepted')
    expect(await verdict(out, registry.host, 'alice:first', 'team/app:1')).toBe('Valid PullAllowed')
    expect(await verdict(out, registry.host, 'alice:first', 'team/app:2')).toBe('Unknown ImageNotFound')
    await registry.setHtpasswd({ alice: 'second' })
    expect(await verdict(out, registry.host, 'alice:first')).toBe('Invalid Refused')
    expect(await verdict(out, registry.host, 'alice:second')).toBe('Valid Accepted')
  })

  test('a registry without any proves nothing', async () => {
    const { host } = started(await startRegistry())
    expect(await verdict(outbound(), host, 'alice:any')).toBe('Unknown ProvesNothing')
  })
})

describe('with tokens and a private CA', () => {
  test('login, right to pull, public images and rotation are told apart', async () => {
    const authority = createAuthority('private CA')
    const tls = serverCertificate(authority, 'registry')
    const pushes = { 'team/app': ['pull', 'push'], 'team/other': ['pull', 'push'], 'public/app': ['pull', 'push'] }
    const tokens = started(
      await startTokenServer({
        users: {
          pusher: { password: 'p', grants: pushes },
          alice: { password: 'first', grants: { 'team/app': ['pull'] } },
        },
        publicRepositories: ['public/app'],
        tls,
      }),
    )
    const { host, url } = started(await startRegistry({ auth: { token: tokens.trust }, tls }))
    const out = outbound(authority.certificate)
    for (const repository of Object.keys(pushes)) {
      const asked = `${tokens.trust.realm}?service=${tokens.trust.service}&scope=repository:${repository}:pull,push`
      const answer = await out.fetch(asked, { headers: { authorization: basic(entry('pusher:p')) } })
      const { token } = (await answer.json()) as { token: string }
      await pushImage(url, repository, '1', { authorization: `Bearer ${token}` }, { ca: authority.certificate })
    }

    expect(await verdict(outbound(), host, 'alice:first')).toBe('Unknown RegistryUnreachable')
    expect(await verdict(out, host, 'alice:first')).toBe('Valid Accepted')
    expect(await verdict(out, host, 'alice:first', 'team/app:1')).toBe('Valid PullAllowed')
    expect(await verdict(out, host, 'alice:first', 'team/other:1')).toBe('NoPullAccess PullDenied')
    expect(await verdict(out, host, 'alice:first', 'public/app:1')).toBe('Valid PublicRepository')
    expect(await verdict(out, host, 'alice:wrong', 'public/app:1')).toBe('Invalid Refused')
    tokens.setPassword('alice', 'second')
    expect(await verdict(out, host, 'alice:first', 'team/app:1')).toBe('Invalid Refused')
    expect(await verdict(out, host, 'alice:second', 'team/app:1')).toBe('Valid PullAllowed')
  })
})
