/** What shells get to complete: by kubectl itself, and by the scripts, in the shells that this machine has. */
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sharedCluster } from '../../cluster/shared.ts'
import { temporaryFolders } from '../../cluster/temporary.ts'
import { Lab } from '../../controller/lab.ts'
import { kubectlWithPlugin, pluginFolder, regcred } from '../plugin.ts'

const folder = temporaryFolders()
let lab: Lab
let name: string
let namespace: string

beforeAll(async () => {
  lab = new Lab()
  namespace = await lab.namespace('complete')
  name = await lab.credential('complete', { source: { secretRef: { name: 'none' } } })
})
afterAll(() => lab.close())

/** The lines, the last of which is the directive. */
async function completions(...words: string[]): Promise<string[]> {
  const { stdout } = await kubectlWithPlugin(['__complete', 'regcred', ...words])
  return stdout.trimEnd().split('\n')
}

test('kubectl completes commands, credentials, namespaces, flags, their values, and files', async () => {
  expect(await completions('re')).toEqual([expect.stringMatching(/^refresh\t/), ':4'])
  expect(await completions('status', lab.unique('compl'))).toEqual([':4'])
  expect(await completions('status', 'complete-')).toEqual([name, ':4'])
  expect(await completions('status', 'other', 'complete-')).toEqual([name, ':4'])
  expect(await completions('verify', '-n', 'complete-')).toEqual([namespace, ':4'])
  expect(await completions('refresh', '--ti')).toEqual([expect.stringMatching(/^--timeout\t/), ':4'])
  expect(await completions('status', '-o', '')).toEqual(['wide', 'json', 'yaml', ':4'])
  expect(await completions('status', '--output=y')).toEqual(['yaml', ':4'])
  expect(await completions('create', '--from-docker-config', '')).toEqual([':0'])
  expect(await completions('create', '')).toEqual([':4'])
  expect(await completions('completion', '')).toEqual(['bash', 'zsh', 'fish', ':4'])
})

test('a cluster that is not there, or a context that does not exist, completes nothing and says nothing', async () => {
  expect(await regcred(['__complete', 'status', '--context', 'none', ''])).toEqual({
    code: 0,
    stdout: ':4\n',
    stderr: '',
  })
  const kubeconfig = '/nonexistent'
  expect(await regcred(['__complete', 'status', ''], { kubeconfig })).toEqual({ code: 0, stdout: ':4\n', stderr: '' })
})

/** What a shell makes of the script and a line that is typed; the script is in `$SCRIPT`. */
async function inShell(shell: 'bash' | 'zsh' | 'fish', ...args: string[]): Promise<string> {
  const { stdout: script, code } = await regcred(['completion', shell])
  expect(code).toBe(0)
  const file = join(folder(), shell)
  writeFileSync(file, script)
  const path = [await pluginFolder(), join(process.execPath, '..'), process.env.PATH].join(':')
  const env = { PATH: path, KUBECONFIG: sharedCluster().adminKubeconfig, HOME: folder(), SCRIPT: file, TERM: 'dumb' }
  const { stdout } = await promisify(execFile)(shell, args, { env })
  return stdout
}

/** A shell that is missing is none of this project's. */
function testIn(shell: string): typeof test | typeof test.skip {
  return spawnSync(shell, ['--version']).status === 0 ? test : test.skip
}

testIn('bash')('bash completes by its script, also behind =', async () => {
  const typed = `source "$SCRIPT"
    complete_words() { COMP_WORDS=(kubectl-regcred "$@"); COMP_CWORD=$#; _kubectl_regcred; echo "\${COMPREPLY[*]}"; }
    complete_words status complete-; complete_words status --output = y; complete_words re`
  expect(await inShell('bash', '-c', typed)).toBe(`${name}\nyaml\nrefresh\n`)
})

testIn('fish')('fish completes by its script, also behind =', async () => {
  const typed = `source $SCRIPT; for line in 'status complete-' 'status --output=y' re
      complete -C "kubectl-regcred $line"
    end`
  expect(await inShell('fish', '-c', typed)).toMatch(new RegExp(`^${name}\n--output=yaml\nrefresh\t.*\n$`))
})

testIn('zsh')('zsh takes its script', async () => {
  expect(
    await inShell(
      'zsh',
      '-f',
      '-c',
      'zsh -n "$SCRIPT" && autoload -U compinit && compinit -u -D && source "$SCRIPT" && whence -w _kubectl_regcred',
    ),
  ).toBe('_kubectl_regcred: function\n')
})
