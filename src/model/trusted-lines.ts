/**
 * What the credentials are for, as lines of a list of trusted registries (trusted.ts). Whoever has a login for a registry has
 * not said by it that everybody's images there are to be trusted.
 */
import { canonicalKey, dockerHubHosts, KeyProblem, ownerFirst, wholeDockerHub } from './registry-key.ts'

export interface TrustedLines {
  /** Registries, or beginnings of paths in them; sorted, each once. */
  lines: readonly string[]
  /** Canonical keys that trust nothing; sorted, each once. */
  leftOut: readonly string[]
}

/** Lines that the operator keeps at most: the API server looks through all for each image, within a budget. */
export const maxLines = 500

/**
 * Hosts beside those of `ownerFirst` in which everybody can have a path of their own. Not all that there are in the world:
 * those in which customers share a host, by the manuals of who runs them.
 */
const shared: readonly RegExp[] = [
  /(^|[.])gcr[.]io$/,
  /-docker[.]pkg[.]dev$/,
  /(^|[.])icr[.]io$/,
  /[.]ocir[.]io$|^ocir[.].+[.]oraclecloud[.]com$/,
  /^registry(-vpc|-internal)?[.][a-z0-9-]+[.]aliyuncs[.]com$/,
  /[.]ccs[.]tencentyun[.]com$/,
  /^swr[.].+[.]myhuaweicloud[.]com$/,
  /[.](scw[.]cloud|vultrcr[.]com)$/,
  /^registry[.](digitalocean|fly|heroku)[.](com|io)$/,
  /^(nvcr[.]io|cgr[.]dev|cr[.]yandex|codeberg[.]org|docker[.]cloudsmith[.]io)$/,
]

/** @param keys docker config keys; what is none trusts nothing, and the credential tells of it */
export function trustedLines(keys: Iterable<string>): TrustedLines {
  const canonical = [...new Set([...keys].flatMap(canonicalOf))].sort()
  const lines = [...new Set(canonical.flatMap((key) => lineOf(key) ?? []))].sort().slice(0, maxLines)
  const kept = new Set(lines)
  return { lines, leftOut: canonical.filter((key) => !kept.has(lineOf(key) ?? '')) }
}

function canonicalOf(key: string): string[] {
  try {
    return [canonicalKey(key)]
  } catch (error) {
    if (error instanceof KeyProblem) return []
    throw error
  }
}

/** Undefined for a host with a wildcard, which is no prefix, and for all of a registry that many share. */
function lineOf(key: string): string | undefined {
  const line = key === wholeDockerHub ? 'docker.io' : key.replace(/\/$/, '')
  return line.includes('*') || isEverybodys(line) ? undefined : line
}

/** All of such a host, with whatever port: `ghcr.io:443` is `ghcr.io`. */
function isEverybodys(line: string): boolean {
  const host = line.replace(/:\d+$/, '')
  return ownerFirst.has(host) || dockerHubHosts.has(host) || shared.some((each) => each.test(host))
}
