/**
 * How Vault and OpenBao are spoken to, and what their statuses mean: <https://developer.hashicorp.com/vault/api-docs>,
 * “HTTP status codes”. Their own words reach no message.
 */
import { retryAfterSeconds } from '../http/retry-after.ts'
import { endpointOf } from './endpoint.ts'
import { refusal, toSourceProblem, unusable } from './issuer.ts'
import { asObject, readObject } from './json-object.ts'
import type { SourceContext, SpecOf } from './source.ts'
import { SourceProblem } from './source-problem.ts'

export interface VaultRequest {
  method: 'GET' | 'POST' | 'PUT'
  /** Below /v1/. */
  path: string
  body?: object
  /** What to look at when it refuses, for people. */
  check?: string
  /** Why there is nothing at the path; left out: that is a refusal as well. */
  missing?(answer: Record<string, unknown>): SourceProblem
}

/**
 * Sends one request.
 * @returns the JSON object of the answer; empty where there is none (204)
 * @throws SourceProblem
 */
export type AskVault = (request: VaultRequest) => Promise<Record<string, unknown>>

/** @param token left out for the login */
export function vaultAt(spec: SpecOf<'vault'>, context: SourceContext, signal: AbortSignal, token?: string): AskVault {
  const headers = {
    'content-type': 'application/json',
    'x-vault-request': 'true', // Vault Agent and proxies ask for it, against requests forged through browsers
    ...(spec.namespace && { 'x-vault-namespace': spec.namespace }),
    ...(token && { 'x-vault-token': token }),
  }
  return async ({ method, path, body, check, missing }) => {
    const url = endpointOf(spec.url, `v1/${path}`)
    let response: Response
    let text: string
    try {
      response = await context.fetch(url, { method, headers, signal, ...(body && { body: JSON.stringify(body) }) })
      text = await response.text()
    } catch (error) {
      throw toSourceProblem(error, url.host)
    }
    const answer = text === '' ? {} : readObject(text)
    if (response.status === 404 && missing) throw missing(answer ?? {})
    if (!response.ok) throw problemOf(url.host, response, answer, check)
    if (answer === undefined) throw unusable(url.host, 'is no JSON object')
    return answer
  }
}

export function hostOf({ url }: SpecOf<'vault'>): string {
  return new URL(url).host
}

/** An object that an answer must have under `name`. */
export function objectOf(answer: Record<string, unknown>, name: string, issuer: string): Record<string, unknown> {
  const value = asObject(answer[name])
  if (value === undefined) throw unusable(issuer, `has no ${name}`)
  return value
}

function problemOf(
  host: string,
  { status, headers }: Response,
  answer: Record<string, unknown> | undefined,
  check?: string,
): SourceProblem {
  if (status === 472 || status === 473) {
    const cure = 'name the active server, or a load balancer, in source.vault.url'
    return new SourceProblem('IssuerUnavailable', `${host} is a standby that does not answer (${status}); ${cure}.`)
  }
  if (status === 503 && isSealed(answer)) {
    return new SourceProblem('IssuerUnavailable', `${host} is sealed (${status}); unseal it.`)
  }
  return refusal({ issuer: host, status, check, retryAfterSeconds: retryAfterSeconds(headers, Date.now()) })
}

function isSealed(answer: Record<string, unknown> | undefined): boolean {
  const errors: unknown[] = Array.isArray(answer?.errors) ? answer.errors : []
  return errors.some((error) => typeof error === 'string' && error.includes('sealed'))
}
