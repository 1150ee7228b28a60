/** What the registries of the world answer, and what follows from it. */
import { afterAll, describe, expect, test } from '@jest/globals'
import { Outbound } from '../../src/http/outbound.ts'
import type { Verification } from '../../src/model/verification.ts'
import { Verifier } from '../../src/registry/verify.ts'
import { freePorts } from '../cluster/ports.ts'
import { servers } from '../http/servers.ts'
import { type Answer, type Asked, bearer, entry, type Script, scripted } from './scripted.ts'

const server = servers()
const outbound = new Outbound({ caFiles: [], insecureHosts: [], env: {} })
afterAll(() => outbound.close())
const { signal } = new AbortController()

const asksForBasic: Answer = { status: 401, headers: { 'www-authenticate': 'Basic realm="https://registry.example/"' } }
const ok: Answer = { status: 200 }
const denied: Answer = { status: 403, body: { errors: [{ code: 'DENIED', message: 'secret' }] } }
const manifest = 'HEAD /v2/team/app/manifests/1'

/** A registry with a token server beside it. Its tokens say who asked for them. */
function withTokens(token: (asked: Asked) => Answer, head: (asked: Asked) => Answer = () => ok): Script {
  return (asked, origin) => {
    if (asked.line === 'GET /v2/') return bearer(`${origin}/token`)
    return asked.line.endsWith(' /token') ? token(asked) : head(asked)
  }
}

const tokenFor = ({ login }: Asked): Answer => ({ status: 200, body: { token: login ?? 'anybody' } })
const unauthorized: Answer = { status: 401, body: { details: 'incorrect username or password' } }

const registries: Record<string, Script> = {
  /** Basic on everything; a token that has expired is answered by 403. */
  ECR: ({ line, login }) => {
    if (login === undefined) return asksForBasic
    if (login === 'AWS:expired') return { status: 403, body: 'Your authorization token has expired' }
    return line === manifest && login === 'AWS:elsewhere' ? denied : { status: login === 'AWS:wrong' ? 401 : 200 }
  },
  'Docker Hub': withTokens(
    (asked) => (asked.login === 'acme:wrong' ? unauthorized : tokenFor(asked)),
    ({ token }) => ({ status: token === 'acme:pat' ? 200 : 401 }),
  ),
  /** A login is no right to pull, and wrong logins are denied, not unauthorized. */
  GHCR: withTokens(
    (asked) => (asked.login === 'any:wrong' ? denied : tokenFor(asked)),
    ({ token }) => (token === 'any:pat' ? ok : denied),
  ),
  /** 403 for a wrong login, and for a good one that asks for what it may not have. */
  GitLab: withTokens(
    (asked) => {
      const mayNot = asked.login === 'deploy:other' && asked.query.has('scope')
      return mayNot || asked.login === 'deploy:wrong' ? denied : tokenFor(asked)
    },
    ({ token }) => ({ status: token === 'anybody' ? 401 : 200 }),
  ),
  /** Everybody gets a token for a public project. */
  Harbor: withTokens(
    (asked) => (asked.login === 'robot$ci:wrong' ? unauthorized : tokenFor(asked)),
    () => ok,
  ),
  Quay: ({ line, login, token }, origin) => {
    if (line === 'GET /v2/auth') return { status: login === 'org+robot:good' ? 200 : 401, body: { token: 'any' } }
    return token === undefined ? bearer(`${origin}/v2/auth`) : ok
  },
  /** Several challenges, the realm below a path, and no tokens by POST. */
  JFrog: ({ line, login, token }, origin) => {
    const realm = `${origin}/artifactory/api/docker/team/v2/token`
    if (line === 'GET /artifactory/api/docker/team/v2/token')
      return { status: login === 'user:good' ? 200 : 401, body: { access_token: 'any' } }
    if (line.startsWith('POST')) return unauthorized
    if (token !== undefined) return ok
    return { status: 401, headers: { 'www-authenticate': ['Basic realm="x, y"', `Bearer realm="${realm}"`] } }
  },
  /** Its refresh tokens are taken by POST alone. */
  ACR: withTokens(
    (asked) => {
      const { form, login } = asked
      if (form.get('grant_type') !== 'refresh_token') return login === 'app:secret' ? tokenFor(asked) : { status: 401 }
      if (form.get('refresh_token') === 'revoked') return { status: 400, body: { error: 'invalid_grant' } }
      return { status: form.get('refresh_token') === 'good' ? 200 : 401, body: { access_token: 'any' } }
    },
    ({ token }) => (token === 'any' || token === 'app:secret' ? ok : { status: 401 }),
  ),
}
const acrUser = '00000000-0000-0000-0000-000000000000'

/** @param image repository and tag in that registry */
async function verify(script: Script, login: string, image?: string): Promise<Verification & { asked: Asked[] }> {
  const { host, asked } = await scripted(server, script)
  const verifier = new Verifier(outbound.fetch)
  const result = await verifier.verify(new Map([[host, entry(login)]]), image && `${host}/${image}`, signal)
  expect(result.message.replaceAll(host, '')).not.toMatch(/secret|wrong|good|expired|revoked|pat\b/)
  return { ...result, asked }
}

describe('a login', () => {
  test.each([
    ['ECR', 'AWS:good', 'Valid', 'Accepted'],
    ['ECR', 'AWS:wrong', 'Invalid', 'Refused'],
    ['ECR', 'AWS:expired', 'Invalid', 'Refused'],
    ['Docker Hub', 'acme:pat', 'Valid', 'Accepted'],
    ['Docker Hub', 'acme:wrong', 'Invalid', 'Refused'],
    ['GHCR', 'any:pat', 'Valid', 'Accepted'],
    ['GHCR', 'any:wrong', 'Invalid', 'Refused'],
    ['GitLab', 'deploy:good', 'Valid', 'Accepted'],
    ['GitLab', 'deploy:wrong', 'Invalid', 'Refused'],
    ['Harbor', 'robot$ci:good', 'Valid', 'Accepted'],
    ['Harbor', 'robot$ci:wrong', 'Invalid', 'Refused'],
    ['Quay', 'org+robot:good', 'Valid', 'Accepted'],
    ['Quay', 'org+robot:wrong', 'Invalid', 'Refused'],
    ['JFrog', 'user:good', 'Valid', 'Accepted'],
    ['JFrog', 'user:wrong', 'Invalid', 'Refused'],
    ['ACR', `${acrUser}:good`, 'Valid', 'Accepted'],
    ['ACR', `${acrUser}:wrong`, 'Invalid', 'Refused'],
    ['ACR', `${acrUser}:revoked`, 'Invalid', 'Refused'],
    ['ACR', 'app:secret', 'Valid', 'Accepted'],
    ['ACR', 'app:wrong', 'Invalid', 'Refused'],
  ])('at %s: %s is %s (%s)', async (registry, login, verdict, reason) => {
    expect(await verify(registries[registry] as Script, login)).toMatchObject({ verdict, reason })
  })
})

describe('the right to pull', () => {
  test.each([
    ['ECR', 'AWS:good', 'Valid', 'PullAllowed'],
    ['ECR', 'AWS:elsewhere', 'NoPullAccess', 'PullDenied'],
    ['ECR', 'AWS:expired', 'Invalid', 'Refused'],
    ['Docker Hub', 'acme:pat', 'Valid', 'PullAllowed'],
    ['Docker Hub', 'other:pat', 'NoPullAccess', 'PullDenied'],
    ['GHCR', 'any:pat', 'Valid', 'PullAllowed'],
    ['GHCR', 'any:app', 'NoPullAccess', 'PullDenied'],
    ['GitLab', 'deploy:good', 'Valid', 'PullAllowed'],
    ['GitLab', 'deploy:other', 'NoPullAccess', 'PullDenied'],
    ['GitLab', 'deploy:wrong', 'Invalid', 'Refused'],
    ['Harbor', 'robot$ci:good', 'Valid', 'PublicRepository'],
    ['Harbor', 'robot$ci:wrong', 'Invalid', 'Refused'],
    ['ACR', `${acrUser}:good`, 'Valid', 'PullAllowed'],
  ])('at %s: %s is %s (%s)', async (registry, login, verdict, reason) => {
    const { asked, ...result } = await verify(registries[registry] as Script, login, 'team/app:1')
    expect(result).toMatchObject({ verdict, reason })
    expect(asked.filter(({ line }) => line.startsWith('GET') && line.includes('manifests'))).toEqual([])
  })

  test('is asked for by the scope of the image, the service of the challenge and all types of manifests', async () => {
    const { asked } = await verify(registries.Harbor as Script, 'robot$ci:good', 'team/app:1')
    expect(asked.map(({ line, login, token }) => [line, login ?? token])).toEqual([
      ['GET /v2/', undefined],
      ['GET /token', 'robot$ci:good'],
      [manifest, 'robot$ci:good'],
      ['GET /token', undefined],
      [manifest, 'anybody'],
    ])
    expect(Object.fromEntries(asked[1]?.query ?? [])).toEqual({ service: 'service', scope: 'repository:team/app:pull' })
  })
})

describe('nothing is known of a login', () => {
  const [heads, tokens] = [
    (answer: Answer) => withTokens(tokenFor, () => answer),
    (answer: Answer) => withTokens(() => answer),
  ]
  test.each<[string, string, Script]>([
    ['that nobody asks for', 'ProvesNothing', () => ok],
    ['with too many requests', 'RateLimited', () => ({ status: 429 })],
    ['with too many requests for tokens', 'RateLimited', tokens({ status: 429 })],
    ['with too many requests for manifests', 'RateLimited', heads({ status: 429 })],
    ['where the registry fails', 'RegistryUnreachable', () => ({ status: 503, body: 'secret' })],
    ['where the token server fails', 'RegistryUnreachable', tokens({ status: 502 })],
    ['where the manifests fail', 'RegistryUnreachable', heads({ status: 500 })],
    ['where an image is unknown or hidden', 'ImageNotFound', heads({ status: 404 })],
    ['where there is no registry', 'UnexpectedAnswer', () => ({ status: 404, body: 'secret' })],
    [
      'where the challenge is none',
      'UnexpectedAnswer',
      () => ({ status: 401, headers: { 'www-authenticate': '"=,secret' } }),
    ],
    [
      'where the token server does not understand',
      'UnexpectedAnswer',
      tokens({ status: 400, body: { error: 'invalid_scope' } }),
    ],
    ['where the answer is no JSON', 'UnexpectedAnswer', tokens({ status: 200, body: '{"token":"secret' })],
    ['where the answer is null', 'UnexpectedAnswer', tokens({ status: 200, body: 'null' })],
    ['where the token is none', 'UnexpectedAnswer', tokens({ status: 200, body: { token: 'secret\r\nx: y' } })],
    [
      'where the token is too large',
      'RegistryUnreachable',
      tokens({ status: 200, body: { token: 'x'.repeat(10_485_760) } }),
    ],
    ['where the realm is no URL', 'RealmNotTrusted', () => bearer('secret')],
  ])('%s: %s', async (_, reason, script) => {
    expect(await verify(script, 'user:secret', 'team/app:1')).toMatchObject({ verdict: 'Unknown', reason })
  })

  test('when only the second request for a token is limited: a good login does not become a bad one', async () => {
    const script = withTokens(({ query }) => (query.has('scope') ? denied : { status: 429 }))
    expect(await verify(script, 'user:secret', 'team/app:1')).toMatchObject({
      verdict: 'Unknown',
      reason: 'RateLimited',
    })
  })
})

describe('the logins of a credential', () => {
  const many = (host: string, count: number) =>
    new Map(Array.from({ length: count }, (_, index) => [`${host}/team-${index}/`, entry(`user-${index}:good`)]))

  test('that are the same are asked about once', async () => {
    const { host, asked } = await scripted(server, registries.ECR as Script)
    const entries = new Map([`${host}/a/`, `${host}/b/`, host].map((key) => [key, entry('AWS:good')]))
    await new Verifier(outbound.fetch).verify(entries, undefined, signal)
    expect(asked.map(({ login }) => login)).toEqual([undefined, 'AWS:good'])
  })

  test('are asked about four at a time, and 32 at most, which the message tells', async () => {
    const { host, asked } = await scripted(server, registries.ECR as Script)
    let [running, most] = [0, 0]
    const counting: typeof fetch = async (input, init) => {
      most = Math.max(most, ++running)
      return await outbound.fetch(input, init).finally(() => running--)
    }
    const { verdict, message } = await new Verifier(counting).verify(many(host, 40), undefined, signal)
    expect([verdict, most]).toEqual(['Valid', 4])
    expect(message).toMatch(/ 32 of 40 logins have been checked\.$/)
    expect(new Set(asked.flatMap(({ login }) => login ?? [])).size).toBe(32)
  })

  test('give the worst verdict', async () => {
    const ecr = await scripted(server, registries.ECR as Script)
    const open = await scripted(server, () => ok)
    const [good, wrong] = [entry('AWS:good'), entry('AWS:wrong')]
    const elsewhere = entry('AWS:elsewhere')
    const worst = async (entries: [string, { username: string; password: string }][], image?: string) =>
      (await new Verifier(outbound.fetch).verify(new Map(entries), image, signal)).verdict
    const image = `${ecr.host}/team/app:1`
    expect(await worst([[ecr.host, good]])).toBe('Valid')
    expect(
      await worst([
        [ecr.host, good],
        [open.host, good],
      ]),
    ).toBe('Unknown')
    expect(
      await worst(
        [
          [ecr.host, elsewhere],
          [open.host, good],
        ],
        image,
      ),
    ).toBe('NoPullAccess')
    expect(
      await worst(
        [
          [ecr.host, elsewhere],
          [`${ecr.host}/x/`, wrong],
        ],
        image,
      ),
    ).toBe('Invalid')
  })

  test('are asked about the image as the kubelet chooses between them', async () => {
    const { host, asked } = await scripted(server, registries.ECR as Script)
    const entries = new Map([
      [host, entry('AWS:elsewhere')],
      [`${host}/team/`, entry('AWS:good')],
    ])
    expect(await new Verifier(outbound.fetch).verify(entries, `${host}/team/app:1`, signal)).toMatchObject({
      verdict: 'Valid',
    })
    expect(asked.filter(({ line }) => line === manifest).map(({ login }) => login)).toEqual(['AWS:good', undefined])
  })

  test.each([
    ['is not for any of them', 'other.example/team/app', 'ImageNotCovered'],
    ['is no image', 'https://secret', 'ImageInvalid'],
  ])('are Unknown when the image %s, but Invalid when one is', async (_, image, reason) => {
    const { host } = await scripted(server, registries.ECR as Script)
    const verifier = new Verifier(outbound.fetch)
    const result = await verifier.verify(new Map([[host, entry('AWS:good')]]), image, signal)
    expect(result).toMatchObject({ verdict: 'Unknown', reason })
    expect((await verifier.verify(new Map([[host, entry('AWS:wrong')]]), image, signal)).verdict).toBe('Invalid')
  })

  test('are not asked about behind a wildcard, unless an image tells where', async () => {
    const { host, asked } = await scripted(server, registries.ECR as Script)
    const [, port] = host.split(':')
    const entries = new Map([[`local*:${port}`, entry('AWS:good')]])
    const verifier = new Verifier(outbound.fetch)
    expect(await verifier.verify(entries, undefined, signal)).toMatchObject({
      verdict: 'Unknown',
      reason: 'NothingToAsk',
    })
    expect(asked).toEqual([])
    expect(await verifier.verify(entries, `localhost:${port}/team/app:1`, signal)).toMatchObject({ verdict: 'Valid' })
  })

  test('of Docker Hub are not sent to localhost, though the kubelet tries them there', async () => {
    const asked: string[] = []
    const nowhere: typeof fetch = async (input) => {
      asked.push(new URL(input as URL).host)
      return new Response(null, { status: 503 })
    }
    const entries = new Map([['https://index.docker.io/v1/', entry('acme:pat')]])
    expect(await new Verifier(nowhere).verify(entries, 'localhost/app', signal)).toMatchObject({ verdict: 'Unknown' })
    expect(await new Verifier(nowhere).verify(entries, 'nginx', signal)).toMatchObject({ verdict: 'Unknown' })
    expect(new Set(asked)).toEqual(new Set(['registry-1.docker.io']))
  })
})

describe('a registry that cannot be reached', () => {
  test('is not asked again for a minute', async () => {
    const [port] = await freePorts(1)
    let [now, requests] = [0, 0]
    const counting: typeof fetch = (input, init) => {
      requests++
      return outbound.fetch(input, init)
    }
    const verifier = new Verifier(counting, () => now)
    const verify = () => verifier.verify(new Map([[`127.0.0.1:${port}`, entry('a:secret')]]), undefined, signal)
    const result = await verify()
    expect(result).toMatchObject({ verdict: 'Unknown', reason: 'RegistryUnreachable' })
    expect(result.message).toContain('ECONNREFUSED')
    const once = requests
    now = 59_999
    expect(await verify()).toEqual(result)
    expect(requests).toBe(once)
    now = 60_000
    await verify()
    expect(requests).toBe(2 * once)
  })

  test('in time, with all the logins that are checked, keeps none of them waiting, and what was found counts', async () => {
    const slow: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      })
    const { host } = await scripted(server, registries.ECR as Script)
    const some: typeof fetch = (input, init) =>
      new URL(input as URL).host === host ? outbound.fetch(input, init) : slow(input, init)
    const verifier = new Verifier(some, undefined, 1_000)
    const silent = Array.from({ length: 20 }, (_, index) => [`registry-${index}.example`, entry('a:b')] as const)
    const result = await verifier.verify(new Map(silent), undefined, signal)
    expect(result).toMatchObject({ verdict: 'Unknown', reason: 'DeadlineExceeded' })
    expect(result.message).toContain('registry-0.example')
    const refused = new Map([[host, entry('AWS:wrong')], ...silent])
    expect(await verifier.verify(refused, undefined, signal)).toMatchObject({ verdict: 'Invalid', reason: 'Refused' })
  })

  test('with a login that is given up ends in the reason of the signal', async () => {
    const cut = new AbortController()
    const reason = new Error('no longer the leader')
    for (const script of [() => void cut.abort(reason), withTokens(() => void cut.abort(reason) as never)]) {
      const { host } = await scripted(server, script)
      const verifier = new Verifier(outbound.fetch)
      await expect(verifier.verify(new Map([[host, entry('a:b')]]), undefined, cut.signal)).rejects.toBe(reason)
    }
  })
})
