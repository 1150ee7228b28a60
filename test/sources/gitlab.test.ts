/** What is particular to GitLab: that of a credential's deploy tokens exactly one stays alive, whatever happens. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Handle } from '../../src/model/login.ts'
import { gitlab } from '../../src/sources/gitlab.ts'
import type { SpecOf } from '../../src/sources/source.ts'
import { GitLab } from './gitlab-server.ts'
import type { Handler, IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const never = new AbortController().signal
const dayMs = 24 * 60 * 60 * 1000

let lab: SourceLab
let server: GitLab
let issuer: IssuerServer

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.secret('gitlab', { token: 'glpat-example-0123456789' })
})

beforeEach(async () => {
  server = new GitLab()
  issuer = await lab.issuer(server.handler('projects/acme%2Fapp'))
})

function spec(changes: Partial<SpecOf<'gitlab'>> = {}): SpecOf<'gitlab'> {
  const base = { url: issuer.url, registry: 'registry.example.com', secretRef: { name: 'gitlab' }, lifetimeDays: 14 }
  return { ...base, project: 'acme/app', ...changes }
}

async function issue(name = 'tested'): Promise<Handle> {
  const { handle } = await gitlab.issue(spec(), lab.context({ name }), never)
  expect(handle).toEqual({ id: expect.any(Number) })
  return handle as Handle
}

async function retire(keep: Handle | undefined, name = 'tested'): Promise<void> {
  await gitlab.retire?.(spec(), keep, lab.context({ name }), never)
}

function alive(): number[] {
  return server.tokens.map(({ id }) => id)
}

describe('a deploy token', () => {
  test('is asked for under a name that tells whose it is, for reading the registry, until a midnight', async () => {
    await issue()
    const [request] = issuer.requests
    expect(request?.headers['private-token']).toBe('glpat-example-0123456789')
    const { expires_at, ...rest } = JSON.parse(request?.body ?? '') as { expires_at: string }
    expect(rest).toEqual({ name: 'regcred-tested-uid-of-tested', scopes: ['read_registry'] })
    const days = (Date.parse(expires_at) - Date.now()) / dayMs
    expect(expires_at).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(days).toBeGreaterThan(12.9)
    expect(days).toBeLessThanOrEqual(14)
  })

  test.each([
    ['a project by its number', { project: '42' }, '/api/v4/projects/42/deploy_tokens'],
    ['a group in a group', { group: 'acme/team' }, '/api/v4/groups/acme%2Fteam/deploy_tokens'],
  ])('is made for %s', async (_, { project, group }: { project?: string; group?: string }, path) => {
    issuer.answer = server.handler(path.replace(/^\/api\/v4\/|\/deploy_tokens$/g, ''))
    const { project: __, ...rest } = spec()
    const chosen = project === undefined ? { group: group ?? '' } : { project }
    await gitlab.issue({ ...rest, ...chosen }, lab.context(), never)
    expect(issuer.requests.map((request) => request.path)).toEqual([path])
  })

  test('stands behind a server whose URL ends in a path', async () => {
    issuer.answer = () => ({ status: 404 })
    await expect(gitlab.issue(spec({ url: `${issuer.url}/git/` }), lab.context(), never)).rejects.toThrow()
    expect(issuer.requests[0]?.path).toBe('/git/api/v4/projects/acme%2Fapp/deploy_tokens')
  })
})

describe('exactly one deploy token stays alive', () => {
  test('after each refresh', async () => {
    for (let refresh = 0; refresh < 3; refresh++) {
      const handle = await issue()
      await retire(handle)
      expect(alive()).toEqual([handle.id])
    }
  })

  test('after crashes between its making and its keeping', async () => {
    await issue()
    await issue()
    const kept = await issue()
    await retire(kept)
    expect(alive()).toEqual([kept.id])
  })

  test('when many are listed over several pages', async () => {
    for (let crash = 0; crash < 6; crash++) await issue()
    server.pageSize = 2
    await retire({ id: 43 })
    expect(alive()).toEqual([43])
  })

  test('beside those of others, also of a credential of this name that was there before', async () => {
    const other = await issue('tested-too')
    const [token] = server.tokens
    const foreign = { ...token, id: 1, name: 'regcred-tested-uid-of-another' } as GitLab['tokens'][number]
    server.tokens.push(foreign)
    const kept = await issue()
    await retire(kept)
    expect(alive()).toEqual([other.id, 1, kept.id])
  })
})

test('none stays alive when the credential goes', async () => {
  await issue()
  await issue()
  await retire(undefined)
  expect(alive()).toEqual([])
})

describe('revoking', () => {
  /** Answers in place of GitLab where `change` does. */
  function instead(change: (method: string) => ReturnType<Handler> | undefined): void {
    const { answer } = issuer
    issuer.answer = (request) => change(request.method) ?? answer(request)
  }

  test('takes a token that somebody else has revoked meanwhile for revoked', async () => {
    await issue()
    instead((method) => (method === 'DELETE' ? { status: 404 } : undefined))
    await retire(undefined)
    expect(issuer.requests.at(-1)?.method).toBe('DELETE')
  })

  test('fails with what to look at when it is refused', async () => {
    await issue()
    instead((method) => (method === 'DELETE' ? { status: 403 } : undefined))
    await expect(retire(undefined)).rejects.toMatchObject({
      reason: 'IssuerRefused',
      message: `${new URL(issuer.url).host} refuses (403); check source.gitlab.project, and the role and scope of the token in Secret gitlab.`,
    })
  })

  test('stops with the reason why it is to stop', async () => {
    const reason = new Error('to stop')
    const context = lab.context()
    await expect(gitlab.retire?.(spec(), undefined, context, AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  test('ends also where the server always names a next page', async () => {
    issuer.answer = () => ({ headers: { 'x-next-page': '2' }, body: [] })
    await retire(undefined)
    expect(issuer.requests.length).toBeGreaterThan(1)
  })
})

test('more than a token under token is told by the name of the Secret, and sent to nobody', async () => {
  await lab.secret('with-more', { token: 'glpat-example-0123456789\r\nanother: header' })
  const asked = gitlab.issue(spec({ secretRef: { name: 'with-more' } }), lab.context(), never)
  const message = expect.stringContaining('Secret with-more has more than a token')
  await expect(asked).rejects.toMatchObject({ reason: 'SourceInvalid', message })
  expect(issuer.requests).toEqual([])
})
