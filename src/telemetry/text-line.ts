/**
 * A log record for the eyes: time, level, message, key=value. One line, whatever the record holds: control characters
 * are escaped, so that no message can forge a second record or steer the terminal. Only stacks follow on lines of
 * their own.
 *
 * What is escaped is escaped as in JSON, since that is a form in which the redaction knows every secret.
 */
import { styleText } from 'node:util'
import { terminalJson } from './encodings.ts'
import type { Plain, PlainObject } from './plain.ts'

const COLOURS = { error: 'red', warn: 'yellow', info: 'green', debug: 'gray' } as const

interface Head {
  time: string
  level: keyof typeof COLOURS
  message: string
}

/** The finished text, without a newline at the end. */
export function textLine(head: Head, fields: PlainObject, colours: boolean): string {
  const level = head.level.toUpperCase().padEnd(5)
  const label = colours ? styleText(COLOURS[head.level], level, { validateStream: false }) : level
  const pairs: string[] = []
  const stacks: string[] = []
  flatten('', fields, pairs, stacks)
  return [`${head.time} ${label} ${escapeControls(head.message)}`, ...pairs].join(' ') + stacks.join('')
}

/** `{error: {code: 409}}` becomes `error.code=409`. */
function flatten(prefix: string, fields: PlainObject, pairs: string[], stacks: string[]): void {
  for (const [key, value] of Object.entries(fields)) {
    const path = prefix + key
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      flatten(`${path}.`, value, pairs, stacks)
    } else if (key === 'stack' && Array.isArray(value)) {
      stacks.push(...value.map((frame) => `\n    ${typeof frame === 'string' ? escapeControls(frame) : format(frame)}`))
    } else {
      pairs.push(`${quoteUnlessPlain(path)}=${format(value)}`)
    }
  }
}

function format(value: Plain): string {
  return typeof value === 'string' ? quoteUnlessPlain(value) : terminalJson(value)
}

function quoteUnlessPlain(text: string): string {
  return /^[\w./:@%+,*()[\]-]+$/.test(text) ? text : terminalJson(text)
}

/** Of one line: what could steer a terminal is shown instead. */
export function escapeControls(text: string): string {
  return /\p{Cc}/u.test(text) ? terminalJson(text).slice(1, -1) : text
}
