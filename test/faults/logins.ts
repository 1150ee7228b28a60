/** The logins of the world: each names its credential and its version, so that what is seen tells where it is from. */
import type { Login } from '../controller/lab.ts'

/** Credential → the registry that its login is for. */
export const registries: Readonly<Record<string, string>> = { alpha: 'ghcr.io', beta: 'quay.io' }

export function passwordOf(credential: string, version: number): string {
  return `password-of-${credential}-v${version}`
}

/** The version of a login that was given for this registry; undefined for one that never was. */
export function versionOf(registry: string, { username, password }: Login): number | undefined {
  const credential = Object.keys(registries).find((each) => registries[each] === registry)
  const version = Number(/-v(\d+)$/.exec(password)?.[1])
  return credential && username === credential && password === passwordOf(credential, version) ? version : undefined
}
