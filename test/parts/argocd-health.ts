/** The interpreter by which Argo CD runs health checks. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { partDir } from './parts.ts'

/** What a health check says of an object; empty strings where it does not say. */
export interface Health {
  status: string
  message: string
}

/** What a Lua script says of each object; throws with what is wrong with the script. */
export function runHealthCheck(script: string, objects: readonly object[]): Promise<Health[]> {
  const binary = join(partDir('argocd-health'), 'argocd-health')
  return new Promise((resolve, reject) => {
    const child = execFile(binary, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout))
      else reject(new Error(stderr.trim() || error.message))
    })
    child.stdin?.end(JSON.stringify({ script, objects }))
  })
}
