/** What a watch hands over and when, with the events of the HTTP client in an order that the test chooses. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import type { Dispatcher } from 'undici'
import { Cache } from '../../src/kube/cache.ts'
import { exchange } from '../../src/kube/exchange.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { watch } from '../../src/kube/watch.ts'

const origin = 'http://api'
const request = { method: 'GET', path: '/', headers: {}, body: undefined } as const

/** Requests under way, in their order, with what the HTTP client tells of each. */
class Wire {
  readonly aborted: number[] = []
  readonly #handlers: Dispatcher.DispatchHandler[] = []
  readonly dispatcher = {
    dispatch: (_: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
      const index = this.#handlers.push(handler) - 1
      handler.onRequestStart?.(this.#controller(index), {})
      return true
    },
  } as Dispatcher

  headers(index: number, code: number): void {
    this.#handlers[index]?.onResponseStart?.(this.#controller(index), code, {})
  }

  data(index: number, text: string): void {
    this.#handlers[index]?.onResponseData?.(this.#controller(index), Buffer.from(text))
  }

  end(index: number): void {
    this.#handlers[index]?.onResponseEnd?.(this.#controller(index), {})
  }

  fail(index: number): void {
    this.#handlers[index]?.onResponseError?.(
      this.#controller(index),
      Object.assign(new Error(), { code: 'ECONNRESET' }),
    )
  }

  #controller(index: number): Dispatcher.DispatchController {
    return { abort: () => void this.aborted.push(index) } as Partial<Dispatcher.DispatchController> as never
  }
}

/** A watch that is open, and all that it tells: headers, lines, how it ended. */
function open(onLine: (line: string) => void = () => {}, signal?: AbortSignal, timeoutMs = 60_000) {
  const wire = new Wire()
  const told: string[] = []
  const listener = {
    onHeaders: (code: number) => void told.push(`headers ${code}`),
    onLine: (line: string) => {
      told.push(line)
      onLine(line)
    },
  }
  const ended = watch(wire.dispatcher, origin, request, timeoutMs, signal, listener).then(
    ({ code, text }) => void told.push(`end ${code}${text}`),
    (error: Error) => void told.push(`error ${error.message}`),
  )
  wire.headers(0, 200)
  told.shift()
  return { wire, told, ended }
}

const nextTurn = () => new Promise(setImmediate)

test('an event that was read just before the answer to the write that it echoes is handed over after it', async () => {
  const cache = new Cache(({ metadata }: KubeObject) => metadata.resourceVersion)
  const changes: unknown[] = []
  cache.subscribe((change) => void changes.push(change))
  const object = (version: string) => ({ metadata: { namespace: 'a', name: 'b', uid: 'c', resourceVersion: version } })
  cache.observe('ADDED', object('1'))
  const { wire, told } = open((line) => cache.observe('MODIFIED', JSON.parse(line)))
  const write = async () => {
    const { text } = await exchange(wire.dispatcher, origin, request, 60_000, undefined, 1_000)
    // Whoever writes is a few promises away from the HTTP client.
    const answer = await Promise.resolve().then(async () => JSON.parse(text))
    cache.writeThrough(answer)
    told.push('answered')
  }
  const written = write()
  wire.headers(1, 200)
  wire.data(0, `${JSON.stringify(object('2'))}\n`)
  wire.data(1, JSON.stringify(object('2')))
  // The rest of this answer is read when the promises of all that was read before have run.
  await Promise.resolve()
  wire.end(1)
  await written
  expect(told).toEqual(['answered'])
  await nextTurn()
  expect(told).toEqual(['answered', JSON.stringify(object('2'))])
  expect(changes).toHaveLength(1)
})

test('lines are handed over in order, and the end of the answer after them', async () => {
  const { wire, told, ended } = open()
  wire.data(0, 'a\nb')
  wire.data(0, 'c\nd\ne')
  wire.end(0)
  expect(told).toEqual([])
  await ended
  expect(told).toEqual(['a', 'bc', 'd', 'end 200'])
})

test('lines that come one turn after another are handed over in order', async () => {
  const { wire, told } = open()
  for (const text of ['a\n', 'b\nc', 'd\n']) {
    wire.data(0, text)
    await nextTurn()
  }
  expect(told).toEqual(['a', 'b', 'cd'])
})

test('what was read before the connection broke is handed over before the error', async () => {
  const { wire, told, ended } = open()
  wire.data(0, 'a\nb\nc')
  wire.fail(0)
  await ended
  expect(told).toEqual(['a', 'b', 'error no usable answer from http://api (ECONNRESET)'])
})

test('after the signal no line is handed over, also not one that was read before, and the connection is given up', async () => {
  const abort = new AbortController()
  const { wire, told, ended } = open(() => {}, abort.signal)
  wire.data(0, 'a\n')
  await nextTurn()
  wire.data(0, 'b\n')
  abort.abort(new Error('enough'))
  wire.data(0, 'c\n')
  wire.end(0)
  await ended
  await nextTurn()
  expect(told).toEqual(['a', 'error enough'])
  expect(wire.aborted).toEqual([0])
})

test('a listener that gives the signal itself gets no further line', async () => {
  const abort = new AbortController()
  const { wire, told, ended } = open(() => abort.abort(new Error('enough')), abort.signal)
  wire.data(0, 'a\nb\n')
  wire.data(0, 'c\n')
  await ended
  await nextTurn()
  expect(told).toEqual(['a', 'error enough'])
})

test('what a listener throws ends the watch, and is what the watch ends with', async () => {
  const { wire, told, ended } = open(() => {
    throw new Error('no')
  })
  wire.data(0, 'a\nb\n')
  wire.end(0)
  await ended
  expect(told).toEqual(['a', 'error no'])
  expect(wire.aborted).toEqual([0])
})

test('an open watch has no deadline', async () => {
  const { wire, told } = open(() => {}, undefined, 10)
  await delay(50)
  wire.data(0, 'a\n')
  await nextTurn()
  expect(told).toEqual(['a'])
})

test('an answer that is not 200 is handed over whole, without lines, and given up where it is endless', async () => {
  const texts = ['{"kind":\n', '"Status"}\n']
  const refused = open()
  refused.wire.headers(0, 403)
  for (const text of texts) refused.wire.data(0, text)
  refused.wire.end(0)
  await refused.ended
  expect(refused.told).toEqual(['headers 403', `end 403${texts.join('')}`])
  const endless = open()
  endless.wire.headers(0, 403)
  for (let i = 0; i < 3; i++) endless.wire.data(0, 'a\n'.repeat(250_000))
  await endless.ended
  expect(endless.told).toEqual(['headers 403', 'error no usable answer from http://api (ERR_TOO_LARGE)'])
})

test('a hint that comes before the headers is not taken for them', async () => {
  const { wire, told } = open()
  wire.headers(0, 103)
  wire.headers(0, 200)
  expect(told).toEqual(['headers 200'])
})
