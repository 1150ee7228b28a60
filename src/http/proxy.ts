/**
 * Through which proxy a server is reached: `proxy-url` of the kubeconfig (for the API server), else HTTPS_PROXY/HTTP_PROXY.
 *
 * client-node 2.0.1 knows `proxy-url` only; kubectl and client-go follow the environment as well. The rules are those of
 * Go's httpproxy package, which client-go uses: lower-case names first, loopback never proxied, NO_PROXY with host names,
 * `.suffix`, `*`, addresses, CIDR blocks (`10.0.0.0/8` for in-cluster addresses, which undici's EnvHttpProxyAgent does
 * not know) and ports.
 */
import { BlockList, isIP } from 'node:net'

/** @returns the proxy's URL, possibly with credentials in it: never log it */
export function proxyFor(server: URL, proxyUrl: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (proxyUrl) return supported(proxyUrl)
  const fromEnv = server.protocol === 'https:' ? env.https_proxy || env.HTTPS_PROXY : env.http_proxy || env.HTTP_PROXY
  if (!fromEnv || bypasses(server, env.no_proxy || env.NO_PROXY || '')) return undefined
  return supported(fromEnv.includes('://') ? fromEnv : `http://${fromEnv}`)
}

function supported(proxyUrl: string): string {
  const url = proxyUrl.replace(/^socks5h:/, 'socks5:')
  if (!/^(https?|socks5):\/\//.test(url))
    throw new Error('the proxy URL must begin with http://, https:// or socks5://')
  return url
}

function bypasses(server: URL, noProxy: string): boolean {
  const host = server.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = server.port || (server.protocol === 'https:' ? '443' : '80')
  if (host === 'localhost' || (isIP(host) !== 0 && inBlock(host, host.includes(':') ? '::1/128' : '127.0.0.0/8'))) {
    return true
  }
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(host, port, entry.toLowerCase()))
}

function matches(host: string, port: string, entry: string): boolean {
  if (entry === '*') return true
  if (isIP(host) !== 0 && entry.includes('/')) return inBlock(host, entry)
  const [, name = '', entryPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? []
  if (entryPort !== undefined && entryPort !== port) return false
  if (name.startsWith('*.') || name.startsWith('.')) return host.endsWith(name.replace(/^\*/, ''))
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`))
}

function inBlock(address: string, block: string): boolean {
  const [network = '', prefix] = block.split('/')
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
  if (isIP(network) === 0 || isIP(network) !== isIP(address)) return false
  const bits = Number(prefix)
  if (!/^\d+$/.test(prefix ?? '') || bits > (family === 'ipv6' ? 128 : 32)) return false
  const list = new BlockList()
  list.addSubnet(network, bits, family)
  return list.check(address, family)
}
