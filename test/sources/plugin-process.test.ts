/** What a plugin gets, and that nothing of it is left, however it ends. */
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { type PluginCall, runPlugin } from '../../src/sources/plugin-process.ts'
import { isAlive, scripts, temporaryFolders } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { writePlugin } from './plugins.ts'

const script = scripts()
const folder = temporaryFolders()
const never = new AbortController().signal
const short = { milliseconds: 300, bytes: 1000 }

afterEach(() => {
  delete process.env.REGCRED_TEST_VARIABLE
})

function plugin(lines: readonly string[], rest: Partial<PluginCall> = {}): PluginCall {
  return { plugin: 'p', file: writePlugin(folder(), 'p', ...lines), args: [], input: '', env: [], ...rest }
}

/** Waits for a file that a plugin writes at last. */
function written(file: string): Promise<string> {
  return eventually(() => (existsSync(file) ? readFileSync(file, 'utf8') : ''), { describe: file })
}

describe('a plugin', () => {
  test('gets its arguments and its question, and what it writes and its exit code are returned', async () => {
    const call = plugin(['echo "$#:$1:$2"', 'cat', 'exit 3'], { args: ['--a b', '$HOME'], input: 'what?' })
    const { exitCode, stdout } = await runPlugin(call, never)
    expect([exitCode, stdout.toString()]).toEqual([3, '2:--a b:$HOME\nwhat?'])
  })

  test('gets an environment of its own, with the variables that are named for it', async () => {
    process.env.REGCRED_TEST_VARIABLE = 'named'
    const call = plugin(['env'], { env: ['REGCRED_TEST_VARIABLE', 'REGCRED_TEST_UNSET'] })
    const { stdout } = await runPlugin(call, never)
    const names = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
    expect(names.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name ?? '')).sort()).toEqual([
      'HOME',
      'PATH',
      'REGCRED_TEST_VARIABLE',
      'TMPDIR',
    ])
    expect(stdout.toString()).toContain('REGCRED_TEST_VARIABLE=named')
    expect(stdout.toString()).toMatch(
      /^PATH=\/usr\/local\/sbin:\/usr\/local\/bin:\/usr\/sbin:\/usr\/bin:\/sbin:\/bin$/m,
    )
  })

  test('has an empty folder that only its user may enter, and which is gone with all that it wrote', async () => {
    const call = plugin([
      'ls -A | wc -l',
      'stat -c %a . 2>/dev/null || stat -f %Lp .',
      'pwd -P',
      'echo "$HOME"',
      'echo "$TMPDIR"',
      'mkdir -p a/b && echo secret > a/b/c',
    ])
    const { stdout } = await runPlugin(call, never)
    const [entries, mode, cwd, home, temporary] = stdout.toString().trim().split('\n')
    expect([entries?.trim(), mode, home, temporary]).toEqual(['0', '700', home, home])
    expect(cwd?.endsWith(home ?? 'none')).toBe(true)
    expect(existsSync(home ?? '')).toBe(false)
  })

  test('may leave folders that nobody may write or enter, which are gone too, and its answer counts', async () => {
    const call = plugin(['mkdir a b', 'echo secret > a/c', 'chmod 500 a', 'chmod 0 b', 'echo "$HOME"'])
    chmodSync(dirname(call.file), 0o755)
    const { firstLine } = script(`
      import { runPlugin } from '../../src/sources/plugin-process.ts'
      if (process.getuid?.() === 0) process.setuid?.(65534) // root is above permissions
      const { stdout } = await runPlugin(${JSON.stringify(call)}, new AbortController().signal)
      console.log(stdout.toString())
    `)
    const home = await firstLine
    expect(home).toContain('regcred-plugin-')
    expect(existsSync(home)).toBe(false)
  })

  test('need not read its question, however long that is', async () => {
    const call = plugin(['exec <&-', 'echo done'], { input: 'x'.repeat(4 * 1024 * 1024) })
    expect((await runPlugin(call, never)).stdout.toString()).toBe('done\n')
  })

  test('may write as much to stderr as it wants, which nobody reads', async () => {
    const call = plugin(['head -c 5000000 /dev/zero >&2', 'echo done'])
    expect((await runPlugin(call, never)).stdout.toString()).toBe('done\n')
  })

  test('may use all of its output, and no more', async () => {
    const call = plugin(['head -c 1000 /dev/zero'])
    expect((await runPlugin(call, never, { ...short, milliseconds: 60_000 })).stdout.length).toBe(1000)
    const more = plugin(['head -c 1001 /dev/zero'])
    await expect(runPlugin(more, never, { ...short, milliseconds: 60_000 })).rejects.toMatchObject({
      reason: 'IssuerInvalid',
      message: 'Plugin p wrote more than 1000 bytes and has been ended.',
    })
  })
})

describe('a plugin is ended, with all processes that it has started, when', () => {
  /** Starts a process of its own that would live on, and tells both ids and the folder. */
  const family = (file: string, ...then: string[]) => [
    'trap "" TERM INT HUP',
    'sleep 1000 &',
    `echo "$$ $! $HOME" > ${file}.part && mv ${file}.part ${file}`,
    ...then,
  ]

  async function expectAllGone(file: string): Promise<void> {
    const [parent, child, home = ''] = readFileSync(file, 'utf8').trim().split(' ')
    expect(home).toContain('regcred-plugin-')
    expect(existsSync(home)).toBe(false)
    await eventually(() => ![Number(parent), Number(child)].some(isAlive), { describe: 'the end of its processes' })
  }

  test('it does not end, and will not be told to', async () => {
    const file = join(folder(), 'pids')
    const call = plugin(family(file, 'while :; do sleep 1; done'))
    await expect(runPlugin(call, never, { ...short, milliseconds: 5000 })).rejects.toMatchObject({
      reason: 'IssuerUnavailable',
      message: 'Plugin p was not done within 5 s and has been ended.',
    })
    await expectAllGone(file)
  })

  test('it writes without end', async () => {
    const file = join(folder(), 'pids')
    const call = plugin(family(file, 'cat /dev/zero'))
    await expect(runPlugin(call, never)).rejects.toMatchObject({ reason: 'IssuerInvalid' })
    await expectAllGone(file)
  })

  test('the caller gives up, whose reason is then the error', async () => {
    const file = join(folder(), 'pids')
    const stopping = new AbortController()
    const run = runPlugin(plugin(family(file, 'wait')), stopping.signal)
    await written(file)
    stopping.abort(new Error('the operator stops'))
    await expect(run).rejects.toThrow('the operator stops')
    await expectAllGone(file)
  })

  test('it has answered, while a child still holds its output', async () => {
    const file = join(folder(), 'pids')
    const { exitCode, stdout } = await runPlugin(plugin(family(file, 'echo done')), never)
    expect([exitCode, stdout.toString()]).toEqual([0, 'done\n'])
    await expectAllGone(file)
  })
})

test('a child in a group of its own that holds the output does not hold up the operator', async () => {
  const file = join(folder(), 'pid')
  const leave = `const { pid } = require('child_process').spawn('sleep', ['1000'], { detached: true, stdio: 'inherit' })
    require('fs').writeFileSync('${file}', String(pid))
    process.exit()`
  const call = plugin([`exec '${process.execPath}' -e "${leave}"`])
  await expect(runPlugin(call, never, { ...short, milliseconds: 15_000 })).rejects.toMatchObject({
    reason: 'IssuerUnavailable',
  })
  process.kill(Number(readFileSync(file, 'utf8')))
})

test('nothing is started for a caller who has given up already', async () => {
  const file = join(folder(), 'ran')
  await expect(runPlugin(plugin([`touch ${file}`]), AbortSignal.abort(new Error('over')))).rejects.toThrow('over')
  expect(existsSync(file)).toBe(false)
})

test('a plugin that is killed is an issuer that does not answer', async () => {
  await expect(runPlugin(plugin(['kill -SEGV $$']), never)).rejects.toMatchObject({
    reason: 'IssuerUnavailable',
    message: 'Plugin p was ended by SIGSEGV.',
  })
})

test('what cannot be started is told by a code and the cure', async () => {
  const call = plugin(['echo'])
  await expect(runPlugin({ ...call, file: join(folder(), 'missing') }, never)).rejects.toMatchObject({
    reason: 'IssuerUnavailable',
    message:
      'Plugin p cannot be started (ENOENT); it must be a program for this machine, or a script whose interpreter is there.',
  })
})
