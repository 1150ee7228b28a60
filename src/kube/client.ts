/**
 * The one way to the API server: plain JSON over pooled HTTP/1.1 connections.
 *
 * Reads are repeated a few times when the server asks for it (Retry-After); writes never are: their ApiError says how
 * long to wait, and the work queue does. A 401 or a certificate error leads to one more attempt with credentials read
 * anew.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeConfig } from '@kubernetes/client-node'
import { ApiError, ConnectionError, isTlsError } from './api-error.ts'
import { exchange, type HttpAnswer, type HttpRequest } from './exchange.ts'
import { type Session, Sessions } from './sessions.ts'
import { watch } from './watch.ts'

export interface ClientOptions {
  /** Loaded, with its current context set. */
  kubeConfig: KubeConfig
  /** Of this program, for the User-Agent. */
  version: string
  /** Its name there. Default regcred-operator. */
  program?: string
  /** As whom to act, where the user of the kubeconfig may. */
  impersonate?: Impersonation
  /** How many requests may be under way at once; the others wait. Watches do not count. Default 32. */
  connections?: number
  /** From the call to the last byte of the answer. Default 15,000. */
  timeoutMs?: number
  /** How long token, CA and client certificate are used before they are read again. Default 10. */
  reloadSeconds?: number
  /** Called after each attempt; must not throw. */
  onResponse?: (response: Response) => void
}

export interface Impersonation {
  user: string
  groups: readonly string[]
}

export interface Response {
  method: string
  /** With the query, which tells a list from a watch. */
  path: string
  /** undefined: there was no answer. */
  code: number | undefined
  /** Until the last byte; for a watch until the headers. */
  seconds: number
}

export type Query = Record<string, string | number | boolean | undefined>

export interface CallOptions {
  query?: Query
  /** Default application/json; see metadataOnly. */
  accept?: string
  signal?: AbortSignal
  /** Instead of the client's. */
  timeoutMs?: number
  /** An answer of more bytes is given up: see isTooLarge. Default: there is no such bound. */
  maxBytes?: number
}

export interface WatchOptions extends Pick<CallOptions, 'query' | 'accept' | 'signal'> {
  /** The server has accepted the request. Must not throw. */
  onOpen?: () => void
  /** What it throws ends the watch. */
  onLine: (line: string) => void
}

export interface WriteOptions extends CallOptions {
  /** Who owns the written fields in managedFields. */
  fieldManager: string
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over from other managers instead of failing with 409. */
  force?: boolean
}

const json = 'application/json'
const maxReadRetries = 3
/** A read that is asked to wait longer than this fails instead, and its caller decides. */
const maxRetryAfterSeconds = 10

interface Call {
  method: HttpRequest['method']
  path: string
  options: CallOptions
  contentType?: string
  body?: object | undefined
}

/** See `KubeClient.fenced`. */
interface Fence {
  sessions: Sessions
  pass(): AbortSignal
}

export class KubeClient {
  readonly #options: ClientOptions
  readonly #sessions: Sessions
  readonly #pass: Fence['pass'] | undefined
  readonly #timeoutMs: number
  /** Of every request, whatever its session. */
  readonly #ownHeaders: HttpRequest['headers']
  readonly #onResponse: ClientOptions['onResponse']

  /** @param fence of a client that `fenced` makes */
  constructor(options: ClientOptions, fence?: Fence) {
    const { kubeConfig, version, connections = 32, timeoutMs = 15_000, reloadSeconds = 10, onResponse } = options
    const { program = 'regcred-operator', impersonate } = options
    this.#options = options
    this.#sessions = fence?.sessions ?? new Sessions({ kubeConfig, connections, reloadSeconds })
    this.#pass = fence?.pass
    this.#timeoutMs = timeoutMs
    this.#ownHeaders = {
      'user-agent': `${program}/${version}`,
      ...(impersonate && { 'impersonate-user': impersonate.user, 'impersonate-group': [...impersonate.groups] }),
    }
    this.#onResponse = onResponse
  }

  /**
   * The same client, over the same connections, with a fence around its writes. Reads pass.
   * @param pass called before each write: throws when it must not begin, else returns the signal that cuts it
   */
  fenced(pass: () => AbortSignal): KubeClient {
    return new KubeClient(this.#options, { sessions: this.#sessions, pass })
  }

  /** One object, or one page of a list. */
  get<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#call({ method: 'GET', path, options })
  }

  create<T>(path: string, body: object, { fieldManager, ...rest }: WriteOptions): Promise<T> {
    const options = { ...rest, query: { ...rest.query, fieldManager } }
    return this.#write({ method: 'POST', path, options, contentType: json, body })
  }

  /** Server-side apply: `body` holds all the fields that we want to own, and no others. Creates what is not there. */
  apply<T>(path: string, body: object, { fieldManager, force, ...rest }: ApplyOptions): Promise<T> {
    const options = { ...rest, query: { ...rest.query, fieldManager, force } }
    return this.#write({ method: 'PATCH', path, options, contentType: 'application/apply-patch+yaml', body })
  }

  /** RFC 7386. With `metadata.resourceVersion` in the body the write fails with 409 when somebody else was faster. */
  mergePatch<T>(path: string, body: object, { fieldManager, ...rest }: WriteOptions): Promise<T> {
    const options = { ...rest, query: { ...rest.query, fieldManager } }
    return this.#write({ method: 'PATCH', path, options, contentType: 'application/merge-patch+json', body })
  }

  /**
   * @param body DeleteOptions, for instance with preconditions
   * @returns a Status, or the object (always while finalizers keep it): see Cache.writeThroughDelete
   */
  delete<T>(path: string, body?: object, options: CallOptions = {}): Promise<T> {
    return this.#write({ method: 'DELETE', path, options, contentType: json, body })
  }

  /**
   * Resolves when the server has ended the watch. Has no deadline but for the headers: the caller's `signal` ends a silent
   * one, and no line comes after that. A line comes after the answers that were read together with it: see watch.ts.
   * @throws ApiError, ConnectionError; the reason of `signal`; what `onLine` throws
   */
  async watch(path: string, options: WatchOptions): Promise<void> {
    let session = this.#sessions.current() ?? (await this.#sessions.load())
    for (let renewed = false; ; renewed = true) {
      try {
        const { code, text, retryAfter } = await this.#attemptWatch(session, path, options)
        if (code === 200) return
        if (code !== 401 || renewed) throw ApiError.ofAnswer(code, text, retryAfter)
      } catch (error) {
        if (renewed || !isTlsError(error)) throw error
      }
      session = await this.#sessions.renew(session)
    }
  }

  /** Requests under way end, watches are cut. Nothing may be called afterwards. */
  close(): Promise<void> {
    return this.#sessions.close()
  }

  async #write<T>(call: Call): Promise<T> {
    if (this.#pass === undefined) return this.#call(call)
    const { options } = call
    const cut = this.#pass()
    const signal = options.signal === undefined ? cut : AbortSignal.any([options.signal, cut])
    return this.#call({ ...call, options: { ...options, signal } })
  }

  async #call<T>(call: Call): Promise<T> {
    const { signal } = call.options
    let session = this.#sessions.current() ?? (await this.#sessions.load())
    let renewed = false
    for (let retries = 0; ; ) {
      let answer: HttpAnswer
      try {
        answer = await this.#attempt(session, call)
      } catch (error) {
        if (renewed || !isTlsError(error)) throw error
        renewed = true
        session = await this.#sessions.renew(session)
        continue
      }
      if (answer.code >= 200 && answer.code < 300) return parse(answer.text, session.origin)
      if (answer.code === 401 && !renewed) {
        renewed = true
        session = await this.#sessions.renew(session)
        continue
      }
      const error = ApiError.ofAnswer(answer.code, answer.text, answer.retryAfter)
      const waitSeconds = error.retryAfterSeconds ?? Number.POSITIVE_INFINITY
      if (call.method !== 'GET' || waitSeconds > maxRetryAfterSeconds || retries === maxReadRetries) throw error
      retries++
      await sleep(waitSeconds * 1000 * (1 + 0.1 * Math.random()), undefined, signal === undefined ? {} : { signal })
      session = this.#sessions.current() ?? (await this.#sessions.load())
    }
  }

  async #attempt(session: Session, { method, path, options, contentType, body }: Call): Promise<HttpAnswer> {
    const headers = this.#headers(session, options)
    if (body !== undefined && contentType !== undefined) headers['content-type'] = contentType
    const target = path + queryString(options.query)
    const request: HttpRequest = {
      method,
      path: session.prefix + target,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    }
    const start = performance.now()
    let code: number | undefined
    try {
      const answer = await exchange(
        session.pools.requests,
        session.origin,
        request,
        options.timeoutMs ?? this.#timeoutMs,
        options.signal,
        options.maxBytes ?? Number.POSITIVE_INFINITY,
      )
      code = answer.code
      return answer
    } finally {
      this.#onResponse?.({ method, path: target, code, seconds: (performance.now() - start) / 1000 })
    }
  }

  async #attemptWatch(session: Session, path: string, options: WatchOptions): Promise<HttpAnswer> {
    const { query, signal, onOpen, onLine } = options
    const target = path + queryString(query)
    const headers = this.#headers(session, options)
    const request: HttpRequest = { method: 'GET', path: session.prefix + target, headers, body: undefined }
    const start = performance.now()
    let told = false
    const tell = (code: number | undefined) => {
      if (told) return
      told = true
      this.#onResponse?.({ method: 'GET', path: target, code, seconds: (performance.now() - start) / 1000 })
    }
    const onHeaders = (code: number) => {
      tell(code)
      if (code === 200) onOpen?.()
    }
    try {
      const listener = { onHeaders, onLine }
      return await watch(session.pools.streams, session.origin, request, this.#timeoutMs, signal, listener)
    } finally {
      tell(undefined)
    }
  }

  #headers(session: Session, options: CallOptions): HttpRequest['headers'] {
    return { ...session.headers, ...this.#ownHeaders, accept: options.accept ?? json }
  }
}

function queryString(query: Query | undefined): string {
  let text = ''
  for (const name in query) {
    const value = query[name]
    if (value !== undefined) text += `${text === '' ? '?' : '&'}${name}=${encodeURIComponent(value)}`
  }
  return text
}

/** The message of JSON.parse quotes its input, which may be a Secret. */
function parse<T>(text: string, server: string): T {
  try {
    return JSON.parse(text)
  } catch {
    throw new ConnectionError('ERR_INVALID_JSON', server)
  }
}
