/**
 * One attempt at a watch: an HTTP exchange whose answer, where it is 200, is handed over line by line as it comes, and has
 * a deadline for its headers only. Any other answer is an exchange like all.
 *
 * Lines are not handed over while their bytes are read but all together when the event loop has read everything that had
 * come in with them. The API server often sends a watch's event a moment before the answer to the write that it echoes: by
 * then that answer has been dealt with, whichever of the two was read first.
 */
import type { Dispatcher } from 'undici'
import { Exchange, type HttpAnswer, type HttpRequest } from './exchange.ts'
import { LineSplitter } from './split-lines.ts'

/** Of a refusal, which is a Status or a load balancer's page. */
const maxRefusalBytes = 1024 * 1024

export interface WatchListener {
  /** The headers are there. */
  onHeaders(code: number): void
  /** What it throws ends the watch. */
  onLine(line: string): void
}

/**
 * @param timeoutMs until the headers of 200, or until the end of a refusal
 * @returns when the server has ended the answer; the text of one that is 200 has been handed over
 * @throws as `exchange`, and what `onLine` has thrown; after the lines that came before it, but at once for the signal
 */
export function watch(
  dispatcher: Dispatcher,
  origin: string,
  request: HttpRequest,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  listener: WatchListener,
): Promise<HttpAnswer> {
  return new Watch(origin, timeoutMs, signal, listener).send(dispatcher, request)
}

class Watch extends Exchange {
  readonly #listener: WatchListener
  readonly #splitter = new LineSplitter()
  /** What is to be handed over next; then the end, when that has come. */
  #chunks: Buffer[] = []
  #end: (() => void) | undefined
  #scheduled = false

  constructor(origin: string, timeoutMs: number, signal: AbortSignal | undefined, listener: WatchListener) {
    super(origin, timeoutMs, signal, maxRefusalBytes)
    this.#listener = listener
  }

  override onResponseStart(
    controller: Dispatcher.DispatchController,
    code: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    super.onResponseStart(controller, code, headers)
    if (code < 200) return // only a hint (103); the answer is yet to come
    if (code === 200) this.endDeadline()
    this.#listener.onHeaders(code)
  }

  override onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.code !== 200) {
      super.onResponseData(controller, chunk)
      return
    }
    this.#chunks.push(chunk)
    this.#schedule()
  }

  override onResponseEnd(): void {
    this.#end = () => super.onResponseEnd()
    this.#schedule()
  }

  override onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#end = () => super.onResponseError(controller, error)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#handOver)
  }

  readonly #handOver = (): void => {
    this.#scheduled = false
    const chunks = this.#chunks
    this.#chunks = []
    try {
      for (const chunk of chunks) {
        for (const line of this.#splitter.push(chunk)) {
          // The signal may have come since, or from the listener itself.
          if (this.isSettled) return
          this.#listener.onLine(line)
        }
      }
    } catch (error) {
      this.fail(error)
      return
    }
    this.#end?.()
  }
}
