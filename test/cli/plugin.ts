/** Runs the plugin as a process of its own, as kubectl runs it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** @param kubeconfig file of whoever runs it */
export function runPlugin(kubeconfig: string, args: readonly string[], input = ''): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, KUBECONFIG: kubeconfig }
  const command = ['--disable-warning=ExperimentalWarning', join(root, 'src', 'cli', 'main.ts'), ...args]
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
    child.stdin?.on('error', () => {}) // it may end without having read
    child.stdin?.end(input)
  })
}
