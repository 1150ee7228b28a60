import { describe, expect, test } from '@jest/globals'
import { proxyFor } from '../../src/http/proxy.ts'

const proxy = 'http://proxy.example:3128'

/** The proxy for a server when HTTPS_PROXY and NO_PROXY are set. */
function chosen(server: string, noProxy: string): string | undefined {
  return proxyFor(new URL(server), undefined, { HTTPS_PROXY: proxy, NO_PROXY: noProxy })
}

describe('NO_PROXY', () => {
  test.each([
    ['https://api.example:6443', 'api.example'],
    ['https://api.example:6443', 'other.example, API.example'],
    ['https://api.example:6443', 'example'],
    ['https://api.example:6443', '.example'],
    ['https://api.example:6443', '*.example'],
    ['https://api.example:6443', 'api.example:6443'],
    ['https://api.example', 'api.example:443'],
    ['https://10.96.0.1', '10.0.0.0/8'],
    ['https://10.96.0.1', '10.96.0.1'],
    ['https://[fd00::1]:6443', 'fd00::/8'],
    ['https://[fd00::1]:6443', 'fd00::1'],
    ['https://[fd00::1]:6443', '[fd00::1]:6443'],
    ['https://api.example:6443', '*'],
  ])('%s is reached directly with %j', (server, noProxy) => {
    expect(chosen(server, noProxy)).toBeUndefined()
  })

  test.each([
    ['https://api.example:6443', ''],
    ['https://api.example:6443', 'api.example:443'],
    ['https://notexample:6443', 'example'],
    ['https://example:6443', '.example'],
    ['https://10.96.0.1', '10.0.0.0/16'],
    ['https://10.96.0.1', '96.0.1'],
    ['https://10.96.0.1', 'fd00::/8'],
    ['https://10.96.0.1', '10.0.0.0/99'],
    ['https://10.96.0.1', '10.0.0.0/'],
  ])('%s goes through the proxy with %j', (server, noProxy) => {
    expect(chosen(server, noProxy)).toBe(proxy)
  })

  test.each(['https://localhost:6443', 'https://127.0.0.1:6443', 'https://127.8.8.8', 'https://[::1]:6443'])(
    '%s is never proxied, as in Go',
    (server) => {
      expect(chosen(server, '')).toBeUndefined()
    },
  )
})

test('proxy-url of the kubeconfig counts more than the environment, and for loopback too', () => {
  const env = { HTTPS_PROXY: proxy, NO_PROXY: '*' }
  expect(proxyFor(new URL('https://127.0.0.1:6443'), 'http://other:8080', env)).toBe('http://other:8080')
})

test('names in lower case come first, a bare host is an HTTP proxy, and http:// servers have a variable of their own', () => {
  expect(proxyFor(new URL('https://a.b'), undefined, { https_proxy: 'lower:1', HTTPS_PROXY: proxy })).toBe(
    'http://lower:1',
  )
  expect(proxyFor(new URL('http://a.b'), undefined, { HTTPS_PROXY: proxy })).toBeUndefined()
  expect(proxyFor(new URL('http://a.b'), undefined, { HTTP_PROXY: proxy })).toBe(proxy)
})

test('socks5h means socks5, and a proxy of an unknown kind is refused without quoting it', () => {
  expect(proxyFor(new URL('https://a.b'), 'socks5h://s:1080', {})).toBe('socks5://s:1080')
  expect(() => proxyFor(new URL('https://a.b'), 'ftp://user:hunter2@s', {})).toThrow(
    /^the proxy URL must begin with http:\/\/, https:\/\/ or socks5:\/\/$/,
  )
})
