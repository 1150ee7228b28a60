/**
 * Globs over Kubernetes names: `*` is any run of characters, `?` is one character, everything else is literal.
 * Matched by two pointers in O(pattern × name), never by a regular expression: patterns come from users, and
 * a backtracking engine could be brought to a halt by `*a*a*a*`.
 */

/** Tells whether a name is matched by at least one pattern of the list it was compiled from. */
export type NameMatcher = (name: string) => boolean

/** Compiles a list of names and globs. An empty list matches nothing. */
export function compileGlobs(patterns: readonly string[]): NameMatcher {
  const names = new Set(patterns.filter((pattern) => !isGlob(pattern)))
  const globs = patterns.filter(isGlob)
  return (name) => names.has(name) || globs.some((glob) => matchesGlob(glob, name))
}

/** True when the pattern can match more than one name. */
export function isGlob(pattern: string): boolean {
  return pattern.includes('*') || pattern.includes('?')
}

/** True when the whole of `name` is matched by `glob`. */
export function matchesGlob(glob: string, name: string): boolean {
  let g = 0
  let n = 0
  let star = -1 // where the last `*` stands, and how much of the name it has swallowed so far
  let swallowed = 0
  while (n < name.length) {
    if (glob[g] === '*') {
      star = g++
      swallowed = n
    } else if (glob[g] === '?' || glob[g] === name[n]) {
      g++
      n++
    } else if (star >= 0) {
      g = star + 1
      n = ++swallowed
    } else {
      return false
    }
  }
  while (glob[g] === '*') g++
  return g === glob.length
}
