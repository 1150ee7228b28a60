/** The health check that config/argocd ships, as Argo CD runs it, and what it must say where kstatus gives a verdict. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Verdict } from '../model/kstatus.ts'
import { type Health, runHealthCheck } from '../parts/argocd-health.ts'

/** Relative to the root of the repository. */
export const healthFile: string = join('config', 'argocd', 'health.yaml')
export const healthKey = 'resource.customizations.health.regcred.dev_RegistryCredential'

/** Of each credential, in order. */
export async function healthOf(credentials: readonly object[]): Promise<Health[]> {
  const { data } = parse(readFileSync(join(import.meta.dirname, '..', '..', healthFile), 'utf8'))
  return await runHealthCheck(data[healthKey], credentials)
}

export const healthByVerdict: Record<Verdict, string> = {
  Terminating: 'Progressing',
  InProgress: 'Progressing',
  Failed: 'Degraded',
  Current: 'Healthy',
}
