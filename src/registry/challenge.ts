/** How a server asks for a login: the WWW-Authenticate header (RFC 9110, 11.6.1). */

export interface Challenge {
  /** In lower case. */
  scheme: string
  /** Names in lower case; the first counts where one stands there twice. */
  parameters: ReadonlyMap<string, string>
}

const separators = /[\s,]*/y
const parameter = /([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~:/?-]+))(?=\s*(?:,|$))/sy
const scheme = /([\w!#$%&'*+.^`|~-]+)(?:\s+|(?=,)|$)/y
/** What some schemes have in place of parameters. */
const token68 = /[\w.~+/-]+=*(?=\s*(?:,|$))/y

/**
 * The challenges of a header, also of several that have been joined by commas. Nothing is read behind what breaks the
 * grammar. Unquoted values may have the characters of URLs, as some registries write them.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let position = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position
    const found = pattern.exec(header)
    if (found) position = pattern.lastIndex
    return found
  }
  for (;;) {
    take(separators)
    const current = challenges.at(-1)
    const [whole, name = '', quoted, plain = ''] = (current && take(parameter)) ?? []
    if (current && whole !== undefined) {
      const value = quoted?.replace(/\\(.)/gs, '$1') ?? plain
      if (!current.parameters.has(name.toLowerCase())) current.parameters.set(name.toLowerCase(), value)
      continue
    }
    const next = take(scheme)?.[1]
    if (next === undefined) return challenges
    challenges.push({ scheme: next.toLowerCase(), parameters: new Map() })
    take(token68)
  }
}
