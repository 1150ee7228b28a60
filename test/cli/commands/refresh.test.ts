/** Asking the operator for a new login, and waiting for what comes of it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../../cluster/operator.ts'
import { eventually } from '../../cluster/wait.ts'
import { Lab } from '../../controller/lab.ts'
import { LeaseIssuer } from '../../controller/lease-issuer.ts'
import { leaksIn } from '../../support/canary.ts'
import { regcred } from '../plugin.ts'
import { credentialsRight, userWith } from '../rights.ts'

const registry = 'registry.example.com'
let lab: Lab
let operator: RunningOperator
let issuer: LeaseIssuer
let namespace: string
let name: string

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator()
  issuer = await LeaseIssuer.start(lab, 'refreshed')
  namespace = await lab.namespace('refreshed')
  name = await lab.credential('refreshed', {
    source: issuer.source,
    registries: [registry],
    namespaces: { include: [namespace], optIn: true },
  })
  await lab.ready(name)
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  await issuer.server.stop()
  await operator.stop()
})

test('--wait ends when the new login is in all namespaces', async () => {
  const before = issuer.latest
  const { code, stdout, stderr } = await regcred(['refresh', name, '--wait'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.split('\n')[0]).toBe(`registrycredentials.regcred.dev/${name} refresh asked for`)
  expect(stdout).toMatch(new RegExp(`\n${name}: the (new )?login is in 1 of 1 namespaces, until .*\n$`))
  expect(issuer.latest).not.toEqual(before)
  expect(await lab.logins(namespace)).toEqual({ [registry]: issuer.latest })
  expect(leaksIn({ stdout }, { password: issuer.latest?.password ?? '' })).toEqual([])
})

test('without --wait it has asked, and the operator does the rest', async () => {
  const { asked } = issuer
  expect(await regcred(['refresh', name])).toEqual({
    code: 0,
    stdout: `registrycredentials.regcred.dev/${name} refresh asked for\n`,
    stderr: '',
  })
  await eventually(() => expect(issuer.asked).toBeGreaterThan(asked))
})

test('a source that gives the same again has been asked all the same', async () => {
  const source = await lab.source('same', { [registry]: { username: 'u', password: 'p' } })
  const same = await lab.credential('same', { source: { secretRef: { name: source } } })
  await lab.ready(same)
  const { code, stdout } = await regcred(['refresh', same, '--wait'])
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/: the login(, the same as before,)? is in 0 of 0 namespaces\n$/),
  ])
})

test('an issuer that fails ends the wait with its reason, and exit code 1', async () => {
  issuer.fail(503)
  const { code, stderr } = await regcred(['refresh', name, '--wait'])
  expect([code, stderr]).toEqual([1, expect.stringMatching(new RegExp(`^error: ${name}: IssuerUnavailable: .*503`))])
  const again = await regcred(['refresh', name, '--wait', '--timeout=10s'])
  expect(again.code).toBe(1)
  expect(again.stdout).toContain(`Waiting for ${name}: no answer yet, and as before IssuerUnavailable: `)
  expect(again.stderr).toMatch(
    new RegExp(`^error: ${name}: timed out; no answer yet, and as before IssuerUnavailable: `),
  )
  issuer.heal()
  expect((await regcred(['refresh', name, '--wait'])).code).toBe(0)
})

test('several are waited for at once, and one that is not there is told', async () => {
  const source = await lab.source('second', { [registry]: { username: 'u', password: 'p' } })
  const second = await lab.credential('second', { source: { secretRef: { name: source } } })
  await lab.ready(second)
  const { code, stdout, stderr } = await regcred(['refresh', name, second, 'not-there', '--wait'])
  expect([code, stderr]).toEqual([
    1,
    'Error from server (NotFound): registrycredentials.regcred.dev "not-there" not found\n',
  ])
  expect(stdout).toMatch(new RegExp(`^${name}: the (new )?login is in 1 of 1`, 'm'))
  expect(stdout).toMatch(new RegExp(`^${second}: the login`, 'm'))
})

test('a credential that is suspended is not asked for', async () => {
  const suspended = await lab.credential('suspended', { source: { secretRef: { name: 'any' } }, suspend: true })
  const { code, stdout, stderr } = await regcred(['refresh', suspended, '--wait'])
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toBe(
    `error: ${suspended}: spec.suspend is true, so the operator asks for nothing; set it to false first\n`,
  )
})

test('who may not change the credential is told which right is missing', async () => {
  const kubeconfig = await userWith({ cluster: [credentialsRight('get', 'list', 'watch')] })
  const { code, stderr } = await regcred(['refresh', name, '--wait'], { kubeconfig })
  expect([code, stderr]).toEqual([2, expect.stringContaining('cannot patch resource "registrycredentials"')])
})

test('where no operator answers, that is told when the time is over', async () => {
  await operator.stop()
  const { code, stdout, stderr } = await regcred(['refresh', name, '--wait', '--timeout', '10'])
  expect([code, stdout]).toEqual([1, expect.stringContaining('the operator is asking the source')])
  expect(stderr).toMatch(
    /timed out; the operator has not answered; see whether it runs: kubectl -n regcred-system get pods\n$/,
  )
  expect((await regcred(['refresh', name, '--timeout', 'soon'])).stderr).toContain('--timeout: "soon" is no time')
})
