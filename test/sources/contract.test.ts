/**
 * The contract of all sources. A new one writes a `SourceCase` and adds it to `cases`: these tests then say what must come
 * of whatever its issuer does. Sources ask their issuers more than once, so each misbehaviour is tried at each request.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { RegistryCredentialSource } from '../../src/api/registry-credential.ts'
import { issue, type Material } from '../../src/sources/sources.ts'
import { Redactor } from '../../src/telemetry/redaction.ts'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { eventually } from '../cluster/wait.ts'
import { cases } from './cases.ts'
import type { Wish } from './contract.ts'
import type { IssuerServer, Misbehaviour } from './issuer-server.ts'
import { SourceLab } from './lab.ts'
import { canary, misbehaviours, redirectTo, silence } from './misbehaviours.ts'
import { quayCase } from './quay.case.ts'

const never = new AbortController().signal

describe.each(cases)('$kind', (source) => {
  let lab: SourceLab
  let issuer: IssuerServer
  let wish: Wish
  const subjects: string[] = []

  beforeAll(async () => {
    lab = await SourceLab.open()
    for (const [name, texts] of Object.entries(source.secrets)) await lab.secret(name, texts)
    for (const name of source.serviceAccounts ?? []) await lab.serviceAccount(name)
  })

  beforeEach(async () => {
    wish = newWish(3600)
    issuer = await openIssuer()
    lab.concealed.clear()
  })

  afterEach(() => {
    for (const name of Object.keys(source.env?.(issuer.url) ?? {})) delete process.env[name]
  })

  test('gives what its issuer gives now, says when that ends, and conceals every secret', async () => {
    for (wish of [newWish(3600), newWish(7200)]) {
      const { entries, expiresAt } = await ask()
      const expected = source.expected(wish, issuer.url)
      expect(entries).toEqual(expected)
      expect(lab.concealed).toEqual(new Set([...lab.concealed, ...ownSecrets(), ...passwordsOf(expected), ...proofs()]))
      if (!source.tellsExpiry) expect(expiresAt).toBeUndefined()
      else expect(Math.abs(Number(expiresAt) - Number(wish.expiresAt))).toBeLessThanOrEqual(1_000)
    }
  })

  test('asks nobody when it is to stop already', async () => {
    const reason = new Error('to stop')
    expect(await failure(AbortSignal.abort(reason))).toBe(reason)
    expect(issuer.requests).toEqual([])
  })

  describe('when its issuer', () => {
    for (const { what, does, reason, retryAfterSeconds = 0 } of misbehaviours) {
      testWhen(what, `fails with ${reason}`, () =>
        atEachRequest(does, async () => {
          const problem = await failure()
          expect(problem).toMatchObject({ name: 'SourceProblem', reason })
          expect((problem as { retryAfterSeconds?: number }).retryAfterSeconds ?? 0).toBeGreaterThanOrEqual(
            retryAfterSeconds,
          )
          expectNoSecretIn(problem)
        }),
      )
    }

    testWhen('redirects to another server', 'fails with IssuerInvalid, and does not go there', async () => {
      const elsewhere = await lab.issuer(() => ({}))
      await atEachRequest(redirectTo(elsewhere.url), async () => {
        const problem = await failure()
        expect(problem).toMatchObject({ name: 'SourceProblem', reason: 'IssuerInvalid' })
        expectNoSecretIn(problem)
      })
      expect(elsewhere.requests).toEqual([])
    })

    testWhen('has a certificate that is not trusted', 'fails with the cure, before anything is sent', async () => {
      const { certificate, key } = serverCertificate(createAuthority('unknown'), 'issuer')
      issuer = await lab.issuer(issuer.answer, { cert: certificate, key })
      const problem = await failure()
      const message = expect.stringContaining('--ca-file')
      expect(problem).toMatchObject({ name: 'SourceProblem', reason: 'IssuerUnavailable', message })
      expect(issuer.requests).toEqual([])
      expectNoSecretIn(problem)
    })

    testWhen('says nothing until a deadline', 'fails with the deadline', async () => {
      issuer.misbehaviour = silence
      const deadline = AbortSignal.timeout(500)
      expect(await soon(failure(deadline))).toBe(deadline.reason)
    })

    testWhen('is waited for and it is to stop', 'stops at once and asks no more', () =>
      atEachRequest(silence, async (requests) => {
        const stop = new AbortController()
        const failing = failure(stop.signal)
        await eventually(() => issuer.requests.length === requests)
        stop.abort(new Error('to stop'))
        expect(await soon(failing)).toBe(stop.signal.reason)
        await sleep(200) // for a client that tries again by itself
      }),
    )

    testWhen('gives a login that has ended', 'fails with AlreadyExpired, and a time to wait', async () => {
      wish = newWish(-3600)
      const problem = await failure()
      expect(problem).toMatchObject({ reason: 'AlreadyExpired', retryAfterSeconds: expect.any(Number) })
      expectNoSecretIn(problem)
    })
  })

  test('is exempt from nothing that the contract does not ask for', () => {
    expect(subjects).toEqual(expect.arrayContaining(Object.keys(source.exempt ?? {})))
  })

  function testWhen(what: string, then: string, body: () => Promise<void>): void {
    subjects.push(what)
    const exemption = source.exempt?.[what]
    if (exemption === undefined) test(`${what}, ${then}`, body)
    else test.skip(`${what}: not applicable, since ${exemption}`, body)
  }

  /** Once for each request that it takes to get a login: with an issuer that is good until then. */
  async function atEachRequest(does: Misbehaviour, check: (requests: number) => Promise<void>): Promise<void> {
    await ask()
    const count = issuer.requests.length
    for (let good = 0; good < count; good++) {
      issuer = await openIssuer()
      const { answer } = issuer
      const turn = () => {
        if (issuer.requests.length >= good) issuer.misbehaviour = does
      }
      issuer.answer = (request) => {
        turn()
        return answer(request)
      }
      turn()
      await check(good + 1)
      expect(issuer.requests).toHaveLength(good + 1)
    }
  }

  async function openIssuer(): Promise<IssuerServer> {
    return await lab.issuer(
      source.issuer(() => wish),
      source.tls && lab.tls,
    )
  }

  async function ask(signal: AbortSignal = never): Promise<Material> {
    Object.assign(process.env, source.env?.(issuer.url))
    const spec = { [source.kind]: source.spec(issuer.url) } as RegistryCredentialSource
    return await issue(spec, lab.context({ registries: source.registries, settings: source.settings }), signal)
  }

  /** What it fails with. */
  async function failure(signal?: AbortSignal): Promise<unknown> {
    return await ask(signal).then(
      () => new Error('it gave a login'),
      (error: unknown) => error,
    )
  }

  function expectNoSecretIn(problem: unknown): void {
    const secrets = new Redactor()
    secrets.add(canary, wish.secret, ...ownSecrets(), ...proofs(), ...lab.concealed)
    const texts = [inspect(problem, { depth: 10 }), JSON.stringify(problem), (problem as Error).message]
    expect(texts.map((text) => secrets.redact(text))).toEqual(texts)
  }

  /** What it proves itself with. */
  function ownSecrets(): string[] {
    return Object.values(source.secrets).flatMap((texts) => Object.values(texts))
  }

  /** What its issuer was sent as a proof. */
  function proofs(): string[] {
    return issuer.requests.flatMap(({ headers: { authorization = '' } }) => {
      const [scheme = '', value = ''] = authorization.split(' ')
      if (/^basic$/i.test(scheme)) return [atob(value).replace(/^[^:]*:/, '')]
      return /^(bearer|token)$/i.test(scheme) ? [value] : []
    })
  }
})

test('an issuer that says nothing is given up, if nobody else does that before', async () => {
  const lab = await SourceLab.open()
  await lab.serviceAccount('quay-puller')
  const issuer = await lab.issuer(() => ({}))
  issuer.misbehaviour = silence
  const asked = issue({ quay: quayCase.spec(issuer.url) }, lab.context(), never)
  await expect(asked).rejects.toMatchObject({ name: 'SourceProblem', reason: 'IssuerUnavailable' })
})

/** Before the way out would have given up by itself. */
async function soon(result: Promise<unknown>): Promise<unknown> {
  return await Promise.race([result, sleep(10_000, 'it is still waiting', { ref: false })])
}

function newWish(livesSeconds: number): Wish {
  const now = Math.floor(Date.now() / 1000)
  return { secret: randomBytes(16).toString('hex'), expiresAt: new Date((now + livesSeconds) * 1000) }
}

function passwordsOf(entries: Material['entries']): string[] {
  return [...entries.values()].map(({ password }) => password)
}
