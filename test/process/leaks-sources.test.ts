/**
 * Every source of test/sources/cases.ts in the operator as it is installed, in a good run and with every issuer that
 * misbehaves or quotes what it was shown: what a source proves itself with and what it is given is nowhere but in Secrets
 * and at its own issuer.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/wait.ts'
import { Installation } from '../controller/installation.ts'
import { Lab } from '../controller/lab.ts'
import { RESTART_TIMEOUT_MS } from '../controller/restarts.ts'
import { allowIdentities, begin, rounds, settingsFor, type Trial } from '../controller/source-trials.ts'
import type { IssuerAnswer, IssuerRequest } from '../sources/issuer-server.ts'
import { canary as bodyOfIssuers, misbehaviours } from '../sources/misbehaviours.ts'
import { leaksIn, newCanary, type Places, type Secrets } from '../support/canary.ts'
import { Disk, leftInCluster, ownSecrets, shownBy } from './leaks-places.ts'

let lab: Lab
let installation: Installation
let refreshes = 0

beforeAll(async () => {
  lab = new Lab()
  installation = new Installation(lab)
  await allowIdentities(lab, installation)
})

afterAll(async () => {
  await installation.remove()
  await lab.close()
})

/** What a proof is called where it is shown: in a header, a form, or JSON. */
const proofs = /^(authorization|.*-token|.*token|.*assertion|.*secret|password)$/i
const kinds = /token_type|token-type/i

/** What the issuer was shown, and what people keep from others. */
function secretsOf({ of, wish, server }: Trial): Secrets {
  const shown = server.requests.flatMap(({ headers, body }) =>
    [...Object.entries(headers), ...fieldsOf(body)].flatMap(([name, value]) =>
      proofs.test(name) && !kinds.test(name) ? provenBy(String(value)) : [],
    ),
  )
  const given = [...of.expected(wish, server.url)].map(([, { username, password }]) => [
    password,
    `${username}:${password}`,
  ])
  const own = Object.values(of.secrets).flatMap((texts) => Object.values(texts))
  const named = { wish: [wish.secret], given: given.flat(), own, shown: [...new Set(shown)] }
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, texts]) =>
      texts.map((text, n) => [`${of.kind} ${name} ${n}`, text.trim()] as const),
    ),
  )
}

function fieldsOf(body: string): [string, unknown][] {
  if (body.startsWith('{')) return Object.entries(JSON.parse(body))
  return [...new URLSearchParams(body)].filter(([name]) => !name.includes('{'))
}

/** Of `Basic …` the password, of a signature of AWS the signature. */
function provenBy(header: string): string[] {
  const value = header.split(' ').at(-1) ?? ''
  if (!/^basic /i.test(header)) return [value.replace(/^Signature=/, '')]
  return [value, Buffer.from(value, 'base64').toString(), atob(value).replace(/^[^:]*:/, '')]
}

/** An issuer's error that quotes all that it was sent, and what it would have given. */
function quoting(request: IssuerRequest, { wish }: Trial): IssuerAnswer {
  const { headers, body, query } = request
  const login = provenBy(headers.authorization ?? '').join()
  const all = JSON.stringify({ headers, body, query: [...query], login, secret: wish.secret })
  const base64 = Buffer.from(all).toString('base64')
  const error = { code: all, message: all, error: all, error_description: all, __type: all, detail: base64 }
  return {
    status: 400,
    headers: { 'www-authenticate': `Bearer error="${base64}"` },
    body: { ...error, errors: [error] },
  }
}

/** Asks for a new login, and waits until each issuer has done what is wrong with it. */
async function refresh(trials: readonly Trial[], done: (trial: Trial, before: number) => boolean): Promise<void> {
  const before = trials.map(({ server }) => server.requests.length)
  const value = `refresh-${++refreshes}`
  const annotate = ({ credential }: Trial) =>
    lab.patch(`/apis/regcred.dev/v1/registrycredentials/${credential}`, {
      metadata: { annotations: { 'regcred.dev/refresh': value } },
    })
  await Promise.all(trials.map(annotate))
  for (const [n, trial] of trials.entries()) {
    await eventually(() => done(trial, before[n] ?? 0), { describe: `${value} of ${trial.of.kind}` })
  }
}

async function misbehave(trials: readonly Trial[]): Promise<void> {
  for (const { does } of misbehaviours) {
    for (const { server } of trials) server.misbehaviour = does
    await refresh(trials, ({ server }, before) => server.requests.length > before)
  }
  for (const { credential } of trials) await lab.condition(credential, 'RefreshFailing', 'True')
  for (const { server } of trials) server.misbehaviour = undefined
}

/** At each of the requests that it takes to get a login. @param counts how many these are */
async function quote(trials: readonly Trial[], counts: readonly number[]): Promise<void> {
  const answers = trials.map(({ server }) => server.answer)
  for (let good = 0; good < Math.max(...counts); good++) {
    const concerned = trials.filter((_, n) => good < (counts[n] ?? 0))
    const quoted = new Set<Trial>()
    for (const trial of concerned) {
      const answer = answers[trials.indexOf(trial)]
      let left = good
      trial.server.answer = (request) => {
        if (left-- > 0 && answer) return answer(request)
        quoted.add(trial)
        return quoting(request, trial)
      }
    }
    await refresh(concerned, (trial) => quoted.has(trial))
  }
  for (const [n, { server }] of trials.entries()) server.answer = answers[n] ?? server.answer
}

/** What its issuer was sent that it has no business to know: of other credentials, and of the operator itself. */
function sentBesides(trial: Trial, trials: readonly Trial[], own: Secrets): string[] {
  const sent = trial.server.requests.map(({ path, query, headers, body }) => [path, [...query], headers, body])
  const others = trials.filter((each) => each !== trial).map(secretsOf)
  return leaksIn({ [`what ${trial.of.kind} was sent`]: JSON.stringify(sent) }, Object.assign({}, own, ...others))
}

test.each(rounds().map((of) => ({ of, kinds: of.map(({ kind }) => kind).join(', ') })))(
  'nothing that $kinds prove themselves with or are given is seen, however their issuers err',
  async ({ of }) => {
    const trials: Trial[] = []
    for (const each of of) trials.push(await begin(lab, installation, each, newCanary()))
    const disk = new Disk(mkdtempSync(join(tmpdir(), 'regcred-test-')))
    const { env, args } = settingsFor(trials)
    const operator = await installation.start({ env: { ...env, ...disk.env }, args: [...args, '--log-level=debug'] })
    try {
      for (const { of, wish, server, namespace, credential } of trials) {
        await lab.ready(credential)
        expect(await lab.logins(namespace)).toEqual(Object.fromEntries(of.expected(wish, server.url)))
      }
      const counts = trials.map(({ server }) => server.requests.length)
      const own = await ownSecrets(operator, lab)
      await misbehave(trials)
      await quote(trials, counts)
      const places = await shownBy(operator)
      await refresh(trials, ({ server }, before) => server.requests.length > before)
      for (const { credential } of trials) {
        await eventually(async () =>
          expect((await lab.readCredential(credential)).status?.conditions).not.toContainEqual(
            expect.objectContaining({ type: 'RefreshFailing' }),
          ),
        )
      }
      const namespaces = trials.map(({ namespace }) => namespace)
      const inCluster = await leftInCluster(lab, namespaces)
      expect(await operator.stop()).toBe(0)
      const all: Places = { ...places, ...inCluster, ...disk.written(), log: operator.logs() }

      for (const { credential, of, wish, server, namespace } of trials) {
        for (const place of ['log', 'the Events', 'the credentials', 'metrics'] as const) {
          expect(all[place]).toContain(credential) // there is something to search in
        }
        const data = JSON.stringify((await lab.secret(namespace))?.data)
        const [{ password } = { password: '' }] = of.expected(wish, server.url).values()
        expect(leaksIn({ data }, { password })).not.toEqual([]) // and it would be found
      }
      const secrets = Object.assign({ 'what issuers say': bodyOfIssuers }, own, ...trials.map(secretsOf))
      expect(leaksIn(all, secrets)).toEqual([])
      expect(disk.left()).toEqual([])
      expect(trials.flatMap((trial) => sentBesides(trial, trials, own))).toEqual([])
    } finally {
      await operator.stop()
      for (const { credential } of trials) await lab.patchCredential(credential, { suspend: true })
      await Promise.all(trials.map(({ server }) => server.stop()))
      rmSync(disk.env.TMPDIR, { recursive: true })
    }
  },
  RESTART_TIMEOUT_MS,
)
