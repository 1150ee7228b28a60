/** Where results go: standard output, as a table or as whole objects. */
import { styleText } from 'node:util'
import { Option } from 'commander'
import { stringify } from 'yaml'
import { escapeC1 } from '../telemetry/encodings.ts'
import { escapeControls } from '../telemetry/text-line.ts'

/** As kubectl writes it, which reads YAML 1.1: there "Off" and times need quotes. */
const yaml = { version: '1.1', indentSeq: false, lineWidth: 0 } as const

export type Format = 'wide' | 'json' | 'yaml'

/** `-o`, of those formats that a command has. */
export function outputFlag(formats: readonly string[]): Option {
  return new Option('-o, --output <format>', 'how to print the result').choices(formats)
}

export function print(text: string): void {
  process.stdout.write(text)
}

/** What is no result: progress, warnings and what is wrong. Others may have put into it what steers terminals. */
export function tell(text: string): void {
  process.stderr.write(`${text.split('\n').map(escapeControls).join('\n')}\n`)
}

/** An object, or any other value, as kubectl prints it, with an escape for what steers terminals and needs none. */
export function rendered(value: unknown, format: 'json' | 'yaml'): string {
  return escapeC1(format === 'json' ? `${JSON.stringify(value, null, 4)}\n` : stringify(value, yaml))
}

/** One object as it is, several as a List. @param objects with apiVersion and kind */
export function listOf(objects: readonly object[]): object {
  const [only] = objects
  if (objects.length === 1 && only !== undefined) return only
  return { apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } }
}

export type Colour = 'red' | 'yellow' | 'green' | 'cyan' | 'bold' | 'dim'

/** Coloured on a terminal, unless NO_COLOR says otherwise; plain everywhere else. */
export function coloured(text: string, colour: Colour): string {
  return styleText(colour, text, { stream: process.stdout })
}
