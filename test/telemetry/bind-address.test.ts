import { describe, expect, test } from '@jest/globals'
import { type BindAddress, isExposed, parseBindAddress } from '../../src/telemetry/bind-address.ts'

describe('addresses in the manner of Kubernetes are understood', () => {
  test.each([
    [':8081', { host: undefined, port: 8081 }],
    ['127.0.0.1:8081', { host: '127.0.0.1', port: 8081 }],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['[::]:65535', { host: '::', port: 65535 }],
    ['localhost:8080', { host: 'localhost', port: 8080 }],
    ['my-host.example.com:1', { host: 'my-host.example.com', port: 1 }],
    ['0', 'disabled'],
  ])('%s', (text, expected) => {
    expect(parseBindAddress(text)).toEqual(expected)
  })
})

describe('anything else is refused', () => {
  test.each([
    '',
    '8081',
    'localhost',
    ':',
    ':65536',
    ':-1',
    ':http',
    '::1:80',
    '[::1]',
    '[127.0.0.1]:80',
    '256.0.0.1:80',
    'a b:80',
    '-a:80',
    'http://localhost:80',
    ':80 ',
  ])('"%s"', (text) => {
    expect(parseBindAddress(text)).toBeUndefined()
  })
})

describe('who can reach a server there', () => {
  const exposed = (text: string) => isExposed(parseBindAddress(text) as BindAddress)

  test.each(['127.0.0.1:1', '127.255.0.9:1', '[::1]:1', '[0:0:0:0:0:0:0:1]:1', '[::ffff:127.0.0.1]:1', 'localhost:1'])(
    '%s: only this machine',
    (text) => expect(exposed(text)).toBe(false),
  )

  test.each([
    ':1',
    '0.0.0.0:1',
    '[::]:1',
    '10.0.0.1:1',
    '128.0.0.1:1',
    '[::ffff:10.0.0.1]:1',
    '[::2]:1',
    'my-host:1',
    'localhost.example.com:1',
  ])('%s: others too', (text) => expect(exposed(text)).toBe(true))
})
