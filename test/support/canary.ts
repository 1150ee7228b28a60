/**
 * Secrets made to be searched for, and the search: in every form in which one turns up in what people, servers and
 * clients write. It shares nothing with the redactor (src/telemetry), whose blind spots it is to see.
 */
import { randomBytes } from 'node:crypto'

/** What it is of → the secret. */
export type Secrets = Readonly<Record<string, string>>
/** What it is → its text. */
export type Places = Readonly<Record<string, string>>

/** Shorter ones turn up by chance. */
const minLength = 8
const lineOfPem = 64

/** A secret that no other one resembles, with every character that some form writes in another way. */
export function newCanary(): string {
  return `c4n"<&>+/=% ${randomBytes(12).toString('hex')}`
}

/** Where a secret is found, in which form; never the secret itself. */
export function leaksIn(places: Places, secrets: Secrets): string[] {
  const searched = Object.entries(secrets).flatMap(([name, secret]) =>
    secret.length < minLength ? [] : piecesOf(secret).map((piece) => ({ name, forms: formsOf(piece) })),
  )
  const found = Object.entries(places).flatMap(([place, text]) =>
    searched.flatMap(({ name, forms }) =>
      Object.entries(forms).flatMap(([form, written]) =>
        text.includes(written) ? `${name} in ${place}, ${form}` : [],
      ),
    ),
  )
  return [...new Set(found)]
}

/** Form → how the secret is written in it. */
export function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret)
  const inJson = quoted(secret)
  const inGoJson = inJson.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)
  const url = encodeURIComponent(secret)
  return {
    clear: secret,
    'in JSON': inJson,
    'in JSON in JSON': quoted(inJson),
    'in JSON of Go': inGoJson,
    'in JSON of Go in JSON': quoted(inGoJson),
    'in a URL': url,
    'in a URL in lower case': url.replace(/%../g, (hex) => hex.toLowerCase()),
    'in a form': new URLSearchParams({ '': secret }).toString().slice(1),
    'as bytes in JSON': [...bytes].join(),
    'as bytes of a Buffer': (bytes.toString('hex').match(/../g) ?? []).join(' '),
    'in hexadecimal': bytes.toString('hex'),
    ...base64Forms('base64', bytes),
    ...base64Forms('base64url', bytes),
    ...base64Forms('base64', Buffer.from(inJson), ' of JSON'),
    ...base64Forms('base64url', Buffer.from(inJson), ' of JSON'),
  }
}

/** The whole, and what would give it away: lines of a private key, the signature of a token. */
function piecesOf(secret: string): string[] {
  const lines = secret.includes('PRIVATE KEY') ? secret.split(/\\n|\s|"/) : []
  const [, signature = ''] = /^eyJ[\w-]+\.[\w-]+\.([\w-]{40,})$/.exec(secret) ?? []
  return [secret, ...lines.filter(({ length }) => length === lineOfPem), ...(signature ? [signature] : [])]
}

function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** At each place in a group of three bytes, without the characters that depend on what stands around. */
function base64Forms(encoding: 'base64' | 'base64url', bytes: Buffer, of = ''): Record<string, string> {
  const forms = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding)
    const whole = text.slice(before === 0 ? 0 : before + 1)
    const rest = (before + bytes.length) % 3
    return [`${encoding}${of} after ${before}`, whole.replace(/=+$/, '').slice(0, rest === 0 ? undefined : -1)]
  })
  return Object.fromEntries(forms)
}
