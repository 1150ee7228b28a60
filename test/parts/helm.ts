/** Helm, apart from whatever the developer has set up for it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { partDir } from './parts.ts'

/** Runs helm and returns its stdout; throws with its stderr. */
export type Helm = (...args: string[]) => Promise<string>

/** @param kubeconfig file of the cluster that it acts on; without, it reaches none */
export function helmWith(kubeconfig = '/dev/null'): Helm {
  const binary = join(partDir('helm'), 'helm')
  return async (...args) => {
    const home = mkdtempSync(join(tmpdir(), 'helm-'))
    const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig }
    try {
      return await new Promise((resolve, reject) => {
        execFile(binary, args, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
          if (error === null) resolve(stdout)
          else reject(new Error(`helm ${args.join(' ')}: ${stderr.trim() || stdout.trim() || error.message}`))
        })
      })
    } finally {
      rmSync(home, { recursive: true })
    }
  }
}
