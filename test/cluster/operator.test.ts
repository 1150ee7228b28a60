/** The helper itself, with a stand-in for the operator; the real one is what the other tests start with it. */
import { expect, test } from '@jest/globals'
import { type OperatorOptions, type RunningOperator, startOperator } from './operator.ts'
import { freePorts } from './ports.ts'
import { sharedCluster } from './shared.ts'
import { isAlive, scripts } from './temporary.ts'
import { eventually } from './wait.ts'

const script = scripts()
const cluster = sharedCluster()

const STAND_IN = `
  import { createServer } from 'node:http'
  import { parseArgs } from 'node:util'
  const { values } = parseArgs({ strict: false })
  console.log(JSON.stringify({ ...values, greeting: process.env.GREETING }))
  if (values.fail) { console.error('the reason'); process.exit(7) }
  for (const name of ['health-probe-bind-address', 'metrics-bind-address']) {
    const [host, port] = values[name].split(':')
    createServer((request, response) => response.end('answer to ' + request.url)).listen(port, host)
  }
  if (values.exclusive) createServer().listen(values.exclusive, '127.0.0.1')
  process.on('SIGTERM', () => values.deaf ? console.log('not listening') : process.exit(5))
`
const standIn = (options: OperatorOptions = {}): OperatorOptions => ({
  command: [process.execPath, '--input-type=module', '-e', STAND_IN, '--'],
  ...options,
})

test('it runs as the ServiceAccount that config/ installs, with the further arguments and variables', async () => {
  const operator = await startOperator(standIn({ args: ['--log-level=debug'], env: { GREETING: 'hello' } }))
  const flags = JSON.parse(operator.logs().split('\n')[0] ?? '') as Record<string, string>
  expect(flags).toMatchObject({
    namespace: 'regcred-system',
    'leader-elect': 'false',
    'log-level': 'debug',
    greeting: 'hello',
  })
  const whoAmI = ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']
  const user = await cluster.kubectl('--kubeconfig', flags.kubeconfig ?? '', ...whoAmI)
  expect(user).toBe('system:serviceaccount:regcred-system:regcred-operator')
  await expect(operator.health('/healthz')).resolves.toBe(200)
  await expect(operator.metrics()).resolves.toBe('answer to /metrics')
  await expect(operator.stop()).resolves.toBe(5)
  expect(operator.pid).toBeUndefined()
})

test('one that ends before it is ready is reported with its last words', async () => {
  const failing = startOperator(standIn({ args: ['--fail'] }))
  await expect(failing).rejects.toThrow(/the operator ended \(exit code 7\):\n.*\nthe reason/)
})

test('SIGKILL needs no consent', async () => {
  const operator = await startOperator(standIn({ args: ['--deaf'] }))
  const { pid = 0 } = operator
  operator.signal('SIGTERM')
  await eventually(() => expect(operator.logs()).toContain('not listening'))
  expect(isAlive(pid)).toBe(true)
  await operator.kill()
  expect(isAlive(pid)).toBe(false)
})

test('operators run one after the other, however each of them ends', async () => {
  // Each listens on the same port, so one that starts beside another fails.
  const [port] = await freePorts(1)
  const options = standIn({ args: [`--exclusive=${port}`] })
  const ends: ((operator: RunningOperator) => unknown)[] = [
    (operator) => operator.stop(),
    (operator) => operator.kill(),
    (operator) => operator.signal('SIGKILL'),
  ]
  const runs = ends.map(async (end) => {
    const operator = await startOperator(options)
    await end(operator)
    await eventually(() => expect(operator.pid).toBeUndefined())
  })
  await expect(Promise.all(runs)).resolves.toHaveLength(3)
})

test('when its test process is killed, the operator ends and another one may start', async () => {
  const { child, firstLine } = script(`
    import { startOperator } from './operator.ts'
    const operator = await startOperator(${JSON.stringify(standIn())})
    console.log(operator.pid)
    setInterval(() => {}, 1000)
  `)
  const pid = Number(await firstLine)
  expect(isAlive(pid)).toBe(true)
  child.kill('SIGKILL')
  await eventually(() => expect(isAlive(pid)).toBe(false))
  const next = await startOperator(standIn())
  await next.stop()
})
