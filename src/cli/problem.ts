/** What ends a command before it is done, and how that is said: in kubectl's words, on one line, without a stack. */
import { ApiError, ConnectionError, isNotFound } from '../kube/api-error.ts'

/** Of every command: 0 it is done, or the answer is yes; 1 the answer is no; 2 it could not be done or found out. */
export type ExitCode = 0 | 1 | 2

/** Wrong usage, or what a command cannot work with. The message names the cure, and holds nothing secret. */
export class Problem extends Error {
  override readonly name = 'Problem'
}

/** What is written to standard error of whatever was thrown. */
export function sayingOf(error: unknown): string {
  if (error instanceof ApiError) return ofServer(error)
  if (error instanceof ConnectionError) return ofConnection(error)
  return `error: ${error instanceof Error ? error.message : 'unknown'}`
}

function ofServer(error: ApiError): string {
  if (error.code === 401) return 'error: You must be logged in to the server (Unauthorized)'
  // The API server answers so where it knows no such resource; an object that is missing it names.
  if (isNotFound(error) && !/ "[^"]+" not found$/.test(error.message)) {
    return `error: the server doesn't have a resource type "registrycredentials": install the operator, or its CRD`
  }
  return `Error from server (${error.reason || error.code}): ${error.message}`
}

function ofConnection({ code, message }: ConnectionError): string {
  const server = /https?:\/\/\S+/.exec(message)?.[0] ?? 'the server'
  if (code === 'ECONNREFUSED') {
    return `The connection to the server ${server} was refused - did you specify the right host or port?`
  }
  if (code.startsWith('CREDENTIALS')) {
    return `error: the kubeconfig gives no credentials for ${server} (${code}); kubectl get --raw /version tells more`
  }
  return `error: ${message}`
}
