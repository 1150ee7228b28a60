/** Shell, with stand-ins for the programs that reach out of the machine. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface Machine {
  /** Shell, by the name of the program that it stands for. */
  programs: Record<string, string>
  /** In the working folder, by name. */
  files?: Record<string, string>
  env?: Record<string, string>
}

export interface Outcome {
  succeeds: boolean
  /** Standard output, then the errors. */
  output: string
  /** The command lines of the stand-ins, in order. */
  calls: string[]
}

/** What scripts that are written for Linux need and this machine lacks, if it does. */
export function shellMissing(): string | undefined {
  const script = '((BASH_VERSINFO[0] >= 4)) && jq --version && sha256sum --version'
  return spawnSync('bash', ['-c', script]).status === 0 ? undefined : 'it needs bash 4, jq and sha256sum'
}

/** Runs it in a folder of its own as GitHub runs `shell: bash`: it ends with what fails, in the middle of a pipe too. */
export function runWithStandIns(script: string, { programs, files = {}, env = {} }: Machine): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'stand-ins-'))
  const [cwd, bin, log] = [join(folder, 'work'), join(folder, 'bin'), join(folder, 'calls')]
  for (const each of [cwd, bin]) mkdirSync(each)
  writeFileSync(log, '')
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content)
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/bash\necho "${name} $*" >> '${log}'\n${body}\n`, { mode: 0o755 })
  }
  try {
    const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
      cwd,
      encoding: 'utf8',
      env: { PATH: `${bin}${delimiter}${process.env.PATH}`, ...env },
    })
    return {
      succeeds: status === 0,
      output: stdout + stderr,
      calls: readFileSync(log, 'utf8').split('\n').slice(0, -1),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
