/**
 * The logger: one line a record, JSON in a cluster and `key=value` on a terminal, without secrets in either.
 * A narrow interface of our own over winston, whose free-form arguments are full of traps: it appends a `message` found
 * in the metadata, drops records with `exception: true`, and writes errors as `{}`.
 */
import winston, { type Logform } from 'winston'
import { type PlainObject, toPlainObject } from './plain.ts'
import { LINE, Redactor } from './redaction.ts'
import { textLine } from './text-line.ts'

/** From the fewest lines to the most. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What a record says beside its message. Errors may stand anywhere in it; `{ error }` is the usual place. */
export type Fields = Readonly<Record<string, unknown>>

export interface Logger {
  error(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  debug(message: string, fields?: Fields): void
  /** A logger that adds these fields to every record. */
  child(fields: Fields): Logger
}

export interface LoggerOptions {
  level: LogLevel
  format: 'json' | 'text'
  /** Where lines go; standard output when not given. */
  stream?: NodeJS.WritableStream & { isTTY?: boolean }
  /** Knows the secrets to keep out; without one, only what looks like a credential is. */
  redactor?: Redactor
}

/** A record on its way through winston: the fields in an envelope, where winston does not touch them. */
interface LogRecord extends Logform.TransformableInfo {
  message: string
  fields: readonly Fields[]
}

/** Creates the root logger. Stacks of errors are written at level debug only. */
export function createLogger(options: LoggerOptions): Logger {
  const { level, format, stream = process.stdout, redactor = new Redactor() } = options
  const root = winston.createLogger({
    level,
    levels: Object.fromEntries(LOG_LEVELS.map((name, severity) => [name, severity])),
    format: winston.format.combine(lineFormat(options, stream), redactor.format(format)),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  })
  return loggerOver(root, level, [])
}

function loggerOver(root: winston.Logger, level: LogLevel, bound: readonly Fields[]): Logger {
  const enabled = LOG_LEVELS.indexOf(level)
  const at = (name: LogLevel) =>
    LOG_LEVELS.indexOf(name) > enabled
      ? () => {} // a disabled level costs a call
      : (message: string, fields?: Fields) => {
          root.log({ level: name, message, fields: fields ? [...bound, fields] : bound } satisfies LogRecord)
        }
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: (fields) => loggerOver(root, level, [...bound, fields]),
  }
}

function lineFormat({ level, format }: LoggerOptions, stream: { isTTY?: boolean }): Logform.Format {
  const colours = stream.isTTY === true && !process.env.NO_COLOR
  const stack = level === 'debug'
  return winston.format((info) => {
    const { level, message, fields } = info as LogRecord
    const head = { time: new Date().toISOString(), level: level as LogLevel, message: String(message) }
    const data = fieldsOf(fields, stack)
    info[LINE] = format === 'json' ? JSON.stringify({ ...head, ...data }) : textLine(head, data, colours)
    return info
  })()
}

/** All fields, the later ones first in rank. Names that the record itself needs get a prefix, as logrus does it. */
function fieldsOf(layers: readonly Fields[], stack: boolean): PlainObject {
  const data: PlainObject = {}
  for (const layer of layers) {
    const fields = layer instanceof Error ? { error: layer } : layer // someone wrote error('failed', error)
    for (const [key, value] of Object.entries(toPlainObject(fields, { stack }))) {
      data[key === 'time' || key === 'level' || key === 'message' ? `fields.${key}` : key] = value
    }
  }
  return data
}
