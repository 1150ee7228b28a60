/**
 * Addresses with a meaning of their own: loopback, and those where clouds hand out credentials to whoever asks from the
 * machine (metadata servers). Host names are those of a WHATWG URL: lower case, IPv6 in brackets, IPv4 in decimal.
 */
import type { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/** BlockList knows IPv4 addresses in their IPv6 form (`::ffff:169.254.169.254`) too. */
const metadata = new BlockList()
metadata.addSubnet('169.254.0.0', 16)
metadata.addSubnet('fe80::', 10, 'ipv6')
metadata.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6') // 169.254.0.0/16 behind NAT64
metadata.addSubnet('fd00:ec2::', 64, 'ipv6') // AWS
metadata.addAddress('fd20:ce::254', 'ipv6') // Google
metadata.addAddress('100.100.100.200') // Alibaba
metadata.addAddress('168.63.129.16') // Azure's WireServer, which gives machines their certificates

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || isIn(loopback, hostname)
}

/** Tells whether it is a link-local address or one of a metadata server. */
export function isMetadata(hostname: string): boolean {
  return /^metadata\.google\.internal\.?$/.test(hostname) || isIn(metadata, hostname)
}

/** @returns a resolver for sockets that calls `refused` where one of a name's addresses is one of `isMetadata` */
export function checkedLookup(resolve: typeof lookup, refused: () => Error): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      if (addresses.some(({ address }) => isMetadata(address))) return callback(refused(), '')
      if (options.all) return callback(null, addresses)
      callback(null, addresses[0]?.address ?? '', addresses[0]?.family)
    })
  }
}

function isIn(list: BlockList, hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$|%.*$/g, '')
  return isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
