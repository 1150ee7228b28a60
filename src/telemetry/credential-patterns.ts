/**
 * Credentials that are told by their surroundings, whether or not anybody registered them. The patterns work on plain
 * text and find the same in a line of JSON, where quotes are escaped. All take linear time, whatever the text.
 */

/** Stands in for what was taken out. Shorter than the shortest secret, so that it can never hold one itself. */
export const MARK = '***'

interface Pattern {
  pattern: RegExp
  replacement: string
  /** Without this text there is no match: saves the search in most lines. */
  hint?: string
}

const PATTERNS: readonly Pattern[] = [
  // "authorization": "Basic …", authorization="…": the whole value
  { pattern: /(authorization\\*["']?\s*[:=]\s*\[?\\*["'])[^"'\\]+/gi, replacement: `$1${MARK}` },
  // Authorization: Basic …
  { pattern: /(authorization\s*[:=]\s*)(?:[a-z][\w-]* +)?[^\s"'\\,;]+/gi, replacement: `$1${MARK}` },
  // Bearer …, Basic …: tokens have a digit or padding, or are long, unlike the words of "Basic authentication"; the
  // parameters of a challenge (Bearer realm="…") are no credentials
  {
    pattern: /(basic|bearer)\s+(?!\w+=\\*")(?=[\w.~+/-]*[\d=]|[\w.~+/-]{20})[\w.~+/=-]{6,}/gi,
    replacement: `$1 ${MARK}`,
  },
  // JSON Web Tokens: header.payload.signature, each in base64url; the header begins with {"
  { hint: 'eyJ', pattern: /(?<![\w-])(?=[\w-]+\.)([\w-]*?)eyJ[\w-]{5,}(?:\.[\w-]*)+/g, replacement: `$1${MARK}` },
  // user:password@ in a URL
  { hint: '://', pattern: /:\/\/[^\s/?#"<>]*@/g, replacement: `://${MARK}@` },
]

/** True when `maskPatterns` would change the text. */
export function hasPattern(text: string): boolean {
  return PATTERNS.some(({ pattern, hint }) => (!hint || text.includes(hint)) && text.search(pattern) >= 0)
}

/** The text without the credentials that can be told by their form. */
export function maskPatterns(text: string): string {
  let masked = text
  for (const { pattern, replacement, hint } of PATTERNS) {
    if (!hint || masked.includes(hint)) masked = masked.replace(pattern, replacement)
  }
  return masked
}

/** True for the names of fields and headers whose whole value is a credential. */
export function isCredentialKey(key: string): boolean {
  return /authorization$/i.test(key)
}
