/**
 * Every source through the operator as it is installed: with its own RBAC and that of config/identities, its own settings,
 * and nothing of what it handles in any output. The issuers are those of the contract (test/sources).
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/wait.ts'
import { Installation } from './installation.ts'
import { Lab } from './lab.ts'
import { RESTART_TIMEOUT_MS } from './restarts.ts'
import { allowIdentities, begin, rounds, settingsFor, type Trial } from './source-trials.ts'

let lab: Lab
let installation: Installation

beforeAll(async () => {
  lab = new Lab()
  installation = new Installation(lab)
  await allowIdentities(lab, installation)
})

afterAll(async () => {
  await installation.remove()
  await lab.close()
})

/** What must never be seen: the secrets of the identity, those that were shown to the issuer, and what it gave. */
function secretsOf({ of, wish, server }: Trial): string[] {
  const shown = server.requests.flatMap(({ headers: { authorization = '', 'x-vault-token': token = '' } }) => [
    ...authorization.split(' ').slice(-1),
    String(token),
  ])
  const given = [...of.expected(wish, server.url).values()].map(({ password }) => password)
  const known = Object.values(of.secrets).flatMap((texts) => Object.values(texts))
  return [wish.secret, ...shown, ...given, ...known].filter((text) => text.length > 8)
}

test.each(rounds().map((of) => ({ of, kinds: of.map(({ kind }) => kind).join(', ') })))(
  'logins of $kinds reach their namespaces, and a refusal is told, without a word of what is secret',
  async ({ of }) => {
    const trials = await Promise.all(of.map((each) => begin(lab, installation, each, randomUUID())))
    const operator = await installation.start(settingsFor(trials))
    try {
      for (const { of, wish, server, namespace, credential } of trials) {
        const { status } = await lab.ready(credential)
        const expected = of.expected(wish, server.url)
        expect(await lab.logins(namespace)).toEqual(Object.fromEntries(expected))
        if (of.tellsExpiry) {
          const expiresAt = new Date(status?.credential?.expiresAt ?? '')
          expect(Math.abs(expiresAt.getTime() - wish.expiresAt.getTime())).toBeLessThan(30_000)
        }
        expect(status?.credential?.nextRefreshAt).toBeDefined()
      }
      for (const { server, credential } of trials) {
        server.misbehaviour = (response) => response.writeHead(403, { 'content-type': 'text/plain' }).end('no')
        await lab.cluster.kubectl('annotate', 'rcred', credential, 'regcred.dev/refresh=now')
      }
      for (const { credential } of trials) {
        await lab.condition(credential, 'RefreshFailing', 'True')
        expect((await lab.readCredential(credential)).status?.conditions).toContainEqual(
          expect.objectContaining({ type: 'Ready', status: 'True' }),
        )
        await eventually(async () => expect((await lab.events(credential)).length).toBeGreaterThan(0))
      }
      const told = [operator.logs(), await operator.metrics()]
      for (const trial of trials) {
        const { credential } = trial
        const seen = [
          ...told,
          JSON.stringify([await lab.readCredential(credential), await lab.events(credential)]),
        ].join()
        const leaked = secretsOf(trial).filter((secret) => seen.includes(secret))
        expect([trial.of.kind, leaked.length]).toEqual([trial.of.kind, 0])
      }
    } finally {
      await operator.stop()
      for (const { credential } of trials) await lab.patchCredential(credential, { suspend: true })
      await Promise.all(trials.map(({ server }) => server.stop()))
    }
  },
  RESTART_TIMEOUT_MS,
)
