/** The kinds of value a setting may have: each turns a text into the value, or names the cure. */
import { isAbsolute } from 'node:path'
import { BIND_ADDRESS_EXAMPLES, parseBindAddress } from './telemetry/bind-address.ts'
import { LOG_LEVELS, type LogLevel } from './telemetry/logger.ts'

export interface ValueKind<T> {
  /** Undefined when the text is wrong. */
  parse: (text: string) => T | undefined
  /** Follows the wrong text in the message. */
  cure: string
}

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

export const namespaceName: ValueKind<string> = {
  parse: (text) => (DNS_LABEL.test(text) ? text : undefined),
  cure: 'is not the name of a namespace: up to 63 of a-z, 0-9 and -, such as regcred-system',
}

export const secretName: ValueKind<string> = {
  parse: (text) => (DNS_SUBDOMAIN.test(text) ? text : undefined),
  cure: 'is not the name of a Secret: up to 253 of a-z, 0-9, - and ., such as regcred; repeat the flag for each name',
}

export const configMapName: ValueKind<string> = {
  parse: (text) => (DNS_SUBDOMAIN.test(text) ? text : undefined),
  cure: 'is not the name of a ConfigMap: up to 253 of a-z, 0-9, - and ., such as trusted-registries',
}

export const bindAddress: ValueKind<string> = {
  parse: (text) => (parseBindAddress(text) ? text : undefined),
  cure: `is not an address to listen on; ${BIND_ADDRESS_EXAMPLES}`,
}

export const absolutePath: ValueKind<string> = {
  parse: (text) => (isAbsolute(text) ? text : undefined),
  cure: 'is not an absolute path, which begins with /',
}

export const host: ValueKind<string> = {
  parse: (text) => (/^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:\d{1,5})?$/.test(text) ? text : undefined),
  cure: 'is not a host in lower case, with a port if need be, such as registry.example.com:5000',
}

export const variableName: ValueKind<string> = {
  parse: (text) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? text : undefined),
  cure: 'is not the name of an environment variable, such as AWS_REGION; its value is taken from the environment of the operator',
}

export const boolean: ValueKind<boolean> = {
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  cure: 'is neither true nor false',
}

export const logLevel: ValueKind<LogLevel> = {
  parse: (text) => LOG_LEVELS.find((level) => level === text),
  cure: `is not one of ${LOG_LEVELS.join(', ')}`,
}

export function wholeNumber(from: number, to: number): ValueKind<number> {
  return {
    parse(text) {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
      return value >= from && value <= to ? value : undefined
    },
    cure: `is not a whole number from ${from} to ${to}`,
  }
}
