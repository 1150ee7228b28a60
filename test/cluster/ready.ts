/** One look whether a server on this machine answers; `Server.start` repeats it. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

const ANSWER_TIMEOUT_MS = 5_000

/** HTTP status of a GET; `ca` is a PEM text. Rejects when there is no answer within 5 s. */
export function statusOf(url: string, ca?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    // No agent: a connection that was kept alive would tell of the past.
    const options = { ca, agent: false, timeout: ANSWER_TIMEOUT_MS }
    const request = url.startsWith('https:') ? httpsRequest(url, options) : httpRequest(url, options)
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', reject)
    request.end()
  })
}

/** Fulfilled when a GET is answered with 200. */
export async function assertReady(url: string, ca?: string): Promise<void> {
  const status = await statusOf(url, ca)
  if (status !== 200) throw new Error(`${url} answers ${status}`)
}
