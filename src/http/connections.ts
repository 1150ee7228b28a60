/** The pooled HTTP/1.1 connections to issuers and registries that trust one set of CAs: direct ones and those by proxies. */

import { X509Certificate } from 'node:crypto'
import type { lookup } from 'node:dns'
// Not by name: kubectl-regcred on an older Node has to get as far as to say that it needs a newer one.
import * as tls from 'node:tls'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { checkedLookup } from './addresses.ts'
import { OutboundError } from './outbound-error.ts'

/** Bytes of an answer, before and after decompression. */
export const maxBodyBytes = 1024 * 1024

const limits = {
  allowH2: false,
  connections: 8,
  connectTimeout: 5_000,
  keepAliveTimeout: 4_000,
  maxResponseSize: maxBodyBytes,
}

export class Connections {
  readonly direct: Dispatcher
  readonly metadata: Dispatcher
  readonly #tls: { secureContext?: tls.SecureContext }
  readonly #proxies = new Map<string, Dispatcher>()

  /** @param pems certificates trusted beside Node's own @throws when one of the texts holds none, or a broken one */
  constructor(pems: readonly string[], resolve: typeof lookup) {
    const added = pems.flatMap(certificatesIn)
    // One context for all: Node would parse its some 150 roots anew for every connection that is given a `ca`.
    this.#tls =
      added.length === 0
        ? {}
        : { secureContext: tls.createSecureContext({ ca: [...tls.getCACertificates('default'), ...added] }) }
    const checked = checkedLookup(resolve, () => new OutboundError('ERR_ADDRESS', ''))
    this.direct = new Agent({ ...limits, connect: { ...this.#tls, lookup: checked } })
    this.metadata = new Agent({ ...limits, connect: this.#tls })
  }

  /** Names are resolved by the proxy then. @param url possibly with credentials in it */
  byProxy(url: string): Dispatcher {
    const known = this.#proxies.get(url)
    if (known) return known
    const tls = { ...this.#tls, allowH2: false } // ProxyAgent asks these, not what it has itself
    const agent = new ProxyAgent({ ...limits, uri: url, requestTls: tls, proxyTls: tls })
    this.#proxies.set(url, agent)
    return agent
  }

  /** Whatever is under way fails. */
  async close(): Promise<void> {
    await Promise.all([this.direct, this.metadata, ...this.#proxies.values()].map((agent) => agent.destroy()))
  }
}

/** createSecureContext passes over what it cannot read. */
function certificatesIn(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
  if (blocks === null) throw new Error('no certificates')
  return blocks.map((block) => new X509Certificate(block).toString())
}
