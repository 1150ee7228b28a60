/** However the process ends, and whatever signal it gets, it shows nothing of what it holds and leaves nothing behind. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import packageJson from '../../package.json' with { type: 'json' }
import { type RunningOperator, startOperator } from '../cluster/operator.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { RESTART_TIMEOUT_MS } from '../controller/restarts.ts'
import { leaksIn, newCanary } from '../support/canary.ts'
import { Disk } from './leaks-places.ts'
import { linesOf } from './program.ts'

const username = 'robot-of-crashes'
const password = newCanary()
const secrets = { password, login: `${username}:${password}` }
const folder = temporaryFolders()

let lab: Lab
let namespace: string
let credential: string
let running: RunningOperator | undefined

beforeAll(async () => {
  lab = new Lab()
  namespace = await lab.namespace('crash')
  const source = await lab.source('crash', { 'ghcr.io': { username, password } })
  credential = await lab.credential('crash', {
    source: { secretRef: { name: source } },
    namespaces: { include: [namespace], optIn: true },
  })
})

afterEach(() => running?.kill())

afterAll(() => lab.close())

/** The flags that a way to start it gives to Node. */
function flagsOf(command: readonly string[]): string[] {
  return command.filter((each) => each.startsWith('--'))
}

const started = {
  'npm start': flagsOf(packageJson.scripts.start.split(' ')),
  'the image': flagsOf(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '[]')),
}

/** An operator that has read the source. @param preloaded a module that is loaded before it */
async function operate(disk: Disk, flags: readonly string[], preloaded?: string): Promise<RunningOperator> {
  const first = preloaded === undefined ? [] : [`--import=${preloaded}`]
  const operator = await startOperator({
    command: [process.execPath, ...flags, ...first, 'src/main.ts'],
    env: disk.env,
    args: ['--log-level=debug'],
  })
  running = operator
  await lab.ready(credential)
  await lab.cluster.kubectl('delete', 'secret', 'regcred', '-n', namespace) // so that this one writes it, and knows it
  await eventually(async () => expect(await lab.logins(namespace)).toEqual({ 'ghcr.io': { username, password } }))
  return operator
}

/** Ends it by a signal, and returns all that it has left. */
async function endedBy(signal: NodeJS.Signals, operator: RunningOperator, disk: Disk) {
  operator.signal(signal)
  await eventually(() => operator.pid === undefined)
  return { log: operator.logs(), ...disk.written() }
}

test.each(['SIGABRT', 'SIGUSR2', 'SIGKILL'] as const)(
  '%s ends it without a word, a report or a file',
  async (signal) => {
    const disk = new Disk(folder())
    const operator = await operate(disk, started['the image'])
    const before = operator.logs()
    const places = await endedBy(signal, operator, disk)
    expect(places.log.startsWith(before)).toBe(true)
    linesOf(places.log) // nothing of Node's own
    expect(leaksIn(places, secrets)).toEqual([])
    expect(disk.left()).toEqual([])
  },
  RESTART_TIMEOUT_MS,
)

const causes = {
  'an error that nobody catches': 'throw error',
  'a rejection that nobody handles': 'Promise.reject(error)',
  'a warning': 'process.emitWarning(error)',
}
test.each(Object.entries(causes))(
  '%s that quotes a login is told without it, in lines of the log',
  async (cause, statement) => {
    const module = join(folder(), 'preloaded.mjs')
    const text = JSON.stringify(`Basic ${Buffer.from(secrets.login).toString('base64')} and ${password}`)
    const happening = `const error = Object.assign(new Error(${text}), { response: { body: ${text} } }); ${statement}`
    writeFileSync(module, `process.once('SIGUSR2', () => { ${happening} })`)
    const disk = new Disk(folder())
    const operator = await operate(disk, started['the image'], module)
    operator.signal('SIGUSR2')
    if (cause === 'a warning') {
      await eventually(() => expect(operator.logs()).toContain('***'))
      expect(await operator.stop()).toBe(0)
    } else {
      await eventually(() => operator.pid === undefined)
    }
    const told = linesOf(operator.logs()).filter(({ error }) => JSON.stringify(error ?? '').includes('***'))
    expect(told).toHaveLength(1)
    expect(leaksIn({ log: operator.logs(), ...disk.written() }, secrets)).toEqual([])
    expect(disk.left()).toEqual([])
  },
  RESTART_TIMEOUT_MS,
)

/** Whether a process has a handler for SIGUSR1, which is signal 10 of Linux. */
function opensDebugger(pid: number | undefined): boolean {
  const [, caught = ''] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return (BigInt(`0x${caught}`) & (1n << 9n)) !== 0n
}

test.each(Object.entries(started))(
  'SIGUSR1 opens no debugger to it where %s has started it',
  async (_, flags) => {
    expect(opensDebugger(process.pid)).toBe(true) // as Node does by default
    const disk = new Disk(folder())
    const operator = await operate(disk, flags)
    expect(opensDebugger(operator.pid)).toBe(false)
    operator.signal('SIGUSR1')
    expect(await operator.health('/readyz')).toBe(200)
    expect(await operator.stop()).toBe(0)
    linesOf(operator.logs()) // nothing of Node's own
  },
  RESTART_TIMEOUT_MS,
)
