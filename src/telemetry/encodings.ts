/**
 * The forms in which a secret turns up in other people's messages: as it is, escaped for JSON (also inside JSON that is
 * quoted in JSON, and as Go escapes it), for URLs, and in base64.
 * Base64 is the one that matters most: `auth` in a docker config is base64(user:password), and a Secret's `data` is
 * base64 of the whole document. So a secret is looked for at each of the three ways it can be aligned in base64.
 */

export interface Encodings {
  /** To be found and replaced as they stand. */
  text: readonly string[]
  /** What all base64 and base64url texts have in common whose content holds the secret; the text around goes with it. */
  base64: readonly string[]
}

/** All forms of a secret, each once. A secret of n ≥ 6 bytes has no form shorter than 6 characters. */
export function encodingsOf(secret: string): Encodings {
  const wellFormed = secret.toWellFormed() // the URL functions throw on half a surrogate pair
  const inJson = escapeJson(secret)
  const inGoJson = escapeGoJson(secret)
  const text = [secret, ...nestedJson(inJson), ...nestedJson(inGoJson), ...urlForms(wellFormed)]
  const onTerminal = text.map(escapeC1)
  const base64 = [secret, inJson, inGoJson].flatMap(base64Cores)
  return { text: unique([...text, ...onTerminal]), base64: unique(base64) }
}

function unique(forms: readonly string[]): string[] {
  return [...new Set(forms)]
}

/** JSON for a terminal: also the control characters that JSON leaves alone (DEL and C1) are escaped. */
export function terminalJson(value: unknown): string {
  return escapeC1(JSON.stringify(value))
}

/** Of JSON, and of YAML, which quotes what holds them. */
export function escapeC1(text: string): string {
  return text.replace(/[\u{7f}-\u{9f}]/gu, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)
}

/** The content of a JSON string literal. */
function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** As Go's encoding/json writes it, and with it kubectl: HTML characters are escaped too. */
function escapeGoJson(text: string): string {
  return escapeJson(text).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A JSON text in a JSON string in a JSON string: an API server's message about a Secret, logged as JSON. */
function nestedJson(escaped: string): string[] {
  const twice = escapeJson(escaped)
  return [escaped, twice, escapeJson(twice)]
}

/** encodeURIComponent, the stricter RFC 3986 (Go), form encoding, and the WHATWG userinfo; hexadecimal in either case. */
function urlForms(text: string): string[] {
  const component = encodeURIComponent(text)
  const strict = component.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  const form = new URLSearchParams([['', text]]).toString().slice(1)
  const url = new URL('http://host')
  url.password = text
  const forms = [component, strict, strict.replaceAll('%20', '+'), form, url.password]
  return forms.flatMap((each) => [each, each.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())])
}

/** The characters of base64 that depend on the secret alone, for each of its three positions in a group of three bytes. */
function base64Cores(text: string): string[] {
  const bytes = Buffer.from(text)
  return [0, 1, 2].flatMap((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes])
    const first = Math.ceil((shift * 8) / 6)
    const end = Math.floor((shifted.length * 8) / 6)
    return [shifted.toString('base64').slice(first, end), shifted.toString('base64url').slice(first, end)]
  })
}
