/** What can become of answers on their way: for `HttpProxy.interfere`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { answer, type Interference } from '../kube/http-proxy.ts'

const statusOf = (code: number, reason: string) => ({
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  message: 'a fault',
})

export function refusal(code: number, reason: string, headers: Record<string, string> = {}): Interference {
  return answer(code, JSON.stringify(statusOf(code, reason)), headers)
}

export function errorEvent(code: number, reason: string): Interference {
  return answer(200, `${JSON.stringify({ type: 'ERROR', object: statusOf(code, reason) })}\n`)
}

/** A watch, which has no last byte to wait for, is reset after a second. */
export const lost: Interference = (response, forward) => {
  const reset = () => response.socket?.resetAndDestroy()
  void Promise.race([forward(), sleep(1_000)]).then(reset, reset)
}

/** A write has been done long before. */
export const late: Interference = (response, forward) => {
  const pass = async () => {
    const { code, body } = await forward()
    await sleep(30_000, undefined, { ref: false })
    response.writeHead(code).end(body)
  }
  void pass().catch(() => response.destroy())
}

/** A write has been done; what came of it cannot be read. */
export const halved: Interference = (response, forward) => {
  const pass = async () => {
    const { code, body } = await forward()
    response.writeHead(code).end(body.slice(0, body.length / 2))
  }
  void pass().catch(() => response.destroy())
}
