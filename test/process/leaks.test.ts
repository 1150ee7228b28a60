/** Secret values are nowhere but in Secrets: a whole life at log level debug, searched for every value and its encodings. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { credentialsPath } from '../../src/controller/watches.ts'
import { OPERATOR_HOOK_TIMEOUT_MS, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, operatorNamespace, secretPath } from '../controller/lab.ts'

const username = 'robot-of-leaks'
const passwords = ['1st-p4ssw0rd+of/leaks==', '2nd-p4ssw0rd "of" leaks', '3rd-p4ssw0rd-never-valid']

let lab: Lab
let operator: RunningOperator

beforeAll(async () => {
  lab = new Lab()
  operator = await startOperator({ args: ['--log-level=debug'] })
}, OPERATOR_HOOK_TIMEOUT_MS)

afterAll(async () => {
  await lab.close()
  expect(await operator.stop()).toBe(0)
})

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** A password in every form in which it may turn up. */
function formsOf(password: string): string[] {
  return [
    password,
    JSON.stringify(password).slice(1, -1),
    encodeURIComponent(password),
    base64(password),
    base64(`${username}:${password}`),
    // In the midst of something longer, the first and the last bytes of base64 depend on their neighbours.
    base64(`${username}:${password}`).slice(4, -4),
  ]
}

test('nothing that the operator says, writes or shows holds a password', async () => {
  const [first = '', second = '', broken = ''] = passwords
  const namespace = await lab.namespace('leaks')
  const foreign = await lab.namespace('leaks-foreign')
  const auths = (password: string) => ({ 'ghcr.io': { username, password } })
  const hidden = { '.dockerconfigjson': base64(JSON.stringify({ auths: auths(first) })) }
  await lab.create(`/api/v1/namespaces/${foreign}/secrets`, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'regcred' },
    type: 'kubernetes.io/dockerconfigjson',
    data: hidden,
  })
  const source = await lab.source('leaks', auths(first))
  const credential = await lab.credential('leaks', {
    source: { secretRef: { name: source } },
    namespaces: { include: [lab.unique('leaks*'), lab.unique('leaks-foreign')], optIn: true },
  })
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(auths(first)))
  await lab.rotate(source, auths(second))
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(auths(second)))
  // A drift of the copy, and a source that is no docker config any more though it still holds a password.
  await lab.patch(secretPath(namespace), {
    stringData: { '.dockerconfigjson': JSON.stringify({ auths: auths(broken) }) },
  })
  await eventually(async () => expect(await lab.logins(namespace)).toEqual(auths(second)))
  const path = secretPath(operatorNamespace, source)
  for (const text of [
    `{"auths":{"ghcr.io":{"username":"${username}","password":"${broken}"`,
    `${username}:${broken}`,
  ]) {
    await lab.patch(path, { data: { '.dockerconfigjson': base64(JSON.stringify(auths(broken))), other: base64(text) } })
  }
  await lab.patch(path, { data: { '.dockerconfigjson': base64(`{"auths":{"ghcr.io":{"auth":"${base64(broken)}"}}}`) } })
  await lab.condition(credential, 'Stalled', 'True')

  const about = { credential: await lab.client.get(`${credentialsPath}/${credential}`) }
  const events = await Promise.all(
    ['default', namespace, foreign].map((each) => lab.client.get(`/apis/events.k8s.io/v1/namespaces/${each}/events`)),
  )
  const metadata = await Promise.all([namespace, foreign].map(async (each) => (await lab.secret(each))?.metadata))
  const places: Record<string, string> = {
    log: operator.logs(),
    metrics: await operator.metrics(),
    status: JSON.stringify(about),
    events: JSON.stringify(events),
    'metadata of the copies': JSON.stringify(metadata),
    'process arguments': readFileSync(`/proc/${operator.pid}/cmdline`, 'utf8'),
    'process environment': readFileSync(`/proc/${operator.pid}/environ`, 'utf8'),
  }
  expect(places.log).toContain(credential) // there is something to search in
  expect(places.events).toContain(credential)
  const leaks = Object.entries(places).flatMap(([place, text]) =>
    passwords.flatMap((password, index) =>
      formsOf(password).flatMap((form, at) =>
        text.includes(form) ? `password ${index + 1}, form ${at}, in ${place}` : [],
      ),
    ),
  )
  expect(leaks).toEqual([])
})
