/**
 * Addresses to listen on, as Kubernetes' flags write them: `:8080` is every interface, `127.0.0.1:8080` and `[::1]:8080`
 * one of them, port 0 a free one, and `0` no server at all.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

export interface BindAddress {
  /** Undefined: every interface, IPv6 and IPv4. */
  host: string | undefined
  port: number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/** `disabled` for "0", undefined for what is no address. Host names are allowed (`localhost:8080`). */
export function parseBindAddress(text: string): BindAddress | 'disabled' | undefined {
  if (text === '0') return 'disabled'
  const [, host = '', digits = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? []
  if (digits === '' || Number(digits) > 65_535) return undefined
  const port = Number(digits)
  if (host === '') return { host: undefined, port }
  const bracketed = /^\[(.*)\]$/.exec(host)?.[1]
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined
  return isIPv4(host) || isHostName(host) ? { host, port } : undefined
}

/** Tells whether others than this machine can reach a server there. A name other than localhost may be any address. */
export function isExposed({ host = '' }: BindAddress): boolean {
  if (isIPv4(host)) return !loopback.check(host)
  if (isIPv6(host)) return !loopback.check(host, 'ipv6')
  return host !== 'localhost'
}

/** The cure to name beside a wrong address. */
export const BIND_ADDRESS_EXAMPLES = 'write :8080 (all interfaces), 127.0.0.1:8080, [::1]:8080, or 0 to disable it'

function isHostName(host: string): boolean {
  return /^(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(host)
}
