/** Runs what a page shows as shell, in a clone of the repository, as an admin of a cluster. */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Cluster } from '../cluster/access.ts'
import { provision } from '../cluster/provision.ts'
import { root } from './markdown.ts'

/** What commands of pages read and change. */
const copied = ['config', 'crds', 'examples']

export class Shell {
  readonly #cluster: Cluster
  /** The clone, and the working folder; what commands write there is gone afterwards. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'shell-'))
  readonly #variables: Record<string, string>
  #programs: string | undefined

  /** @param variables what the reader has exported */
  constructor(cluster: Cluster, variables: Record<string, string> = {}) {
    this.#cluster = cluster
    this.#variables = variables
    for (const name of copied) cpSync(join(root, name), join(this.#folder, name), { recursive: true })
  }

  /** Writes a file that a page says to save. */
  save(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text)
  }

  /** @returns its standard output; throws with its standard error where a command fails */
  async run(script: string): Promise<string> {
    this.#programs ??= await this.#withKubectl()
    const env = {
      PATH: [this.#programs, process.env.PATH].join(delimiter),
      HOME: this.#folder,
      KUBECONFIG: this.#cluster.adminKubeconfig,
      KUBERC: 'off',
      ...this.#variables,
    }
    return new Promise((resolve, reject) => {
      const options = { cwd: this.#folder, env }
      const child = execFile('bash', ['-euo', 'pipefail', '-s'], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${script}\n${stdout}\n${stderr}`))
      })
      child.stdin?.on('error', () => {}) // bash may end before it has read everything: its own error tells more
      child.stdin?.end(script)
    })
  }

  close(): void {
    rmSync(this.#folder, { recursive: true })
  }

  async #withKubectl(): Promise<string> {
    const { kubectl } = await provision(() => {})
    const folder = mkdtempSync(join(this.#folder, 'bin-'))
    symlinkSync(kubectl, join(folder, 'kubectl'))
    return folder
  }
}
