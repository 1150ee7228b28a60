import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import {
  ApiError,
  ConnectionError,
  isAlreadyExists,
  isConflict,
  isFixed,
  isForbidden,
  isGone,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
  isTlsError,
  toConnectionError,
} from '../../src/kube/api-error.ts'

function status(code: number, reason: string, more: object = {}): string {
  return JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message: `no: ${reason}`, ...more })
}

describe('ApiError', () => {
  test('takes reason, message and causes from the Status', () => {
    const details = { causes: [{ reason: 'FieldValueInvalid', field: 'type', message: 'hunter2' }, {}] }
    const error = ApiError.ofAnswer(403, status(403, 'Forbidden', { details }))
    expect(error).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'no: Forbidden',
      causes: [
        { reason: 'FieldValueInvalid', field: 'type' },
        { reason: '', field: '' },
      ],
    })
  })

  test.each(['<html>hunter2</html>', '{"kind":"Secret","data":{"password":"hunter2"}}', '', 'null', '"hunter2"', '[1'])(
    'does not quote an answer that is no Status: %j',
    (body) => {
      const error = ApiError.ofAnswer(502, body)
      expect(error.message).toBe('the server answered 502')
      expect(inspect(error)).not.toContain('hunter2')
    },
  )

  test('a message of many kilobytes is cut', () => {
    expect(ApiError.ofAnswer(422, status(422, 'Invalid', { message: 'x'.repeat(5000) })).message).toHaveLength(1024)
  })

  test.each([
    ['30', {}, 30],
    ['0', {}, 0],
    [undefined, { details: { retryAfterSeconds: 7 } }, 7],
    ['Wed, 21 Oct 2026 07:28:00 GMT', {}, undefined],
    [undefined, {}, undefined],
    // A timer takes 24 days at most, and fires at once for more.
    ['2592000', {}, 3_600],
    [undefined, { details: { retryAfterSeconds: 1e300 } }, 3_600],
  ])('Retry-After %j with Status %j asks for %j seconds', (header, more, seconds) => {
    expect(ApiError.ofAnswer(429, status(429, 'TooManyRequests', more), header).retryAfterSeconds).toBe(seconds)
  })

  test('the predicates know their errors', () => {
    const predicates = {
      isAlreadyExists,
      isConflict,
      isFixed,
      isForbidden,
      isGone,
      isInvalid,
      isNamespaceTerminating,
      isNotFound,
    }
    const told = (error: unknown) => Object.entries(predicates).flatMap(([name, holds]) => (holds(error) ? [name] : []))
    expect(told(new ApiError(409, { reason: 'Conflict' }))).toEqual(['isConflict'])
    expect(told(new ApiError(409, { reason: 'AlreadyExists' }))).toEqual(['isAlreadyExists'])
    expect(told(new ApiError(404))).toEqual(['isNotFound'])
    expect(told(new ApiError(410))).toEqual(['isGone'])
    expect(told(new ApiError(422))).toEqual(['isInvalid'])
    const invalid = (field: string, reason: string) => new ApiError(422, { details: { causes: [{ field, reason }] } })
    expect(told(invalid('data', 'FieldValueForbidden'))).toEqual(['isFixed', 'isInvalid'])
    expect(told(invalid('type', 'FieldValueInvalid'))).toEqual(['isFixed', 'isInvalid'])
    expect(told(invalid('metadata.annotations', 'FieldValueTooLong'))).toEqual(['isFixed', 'isInvalid'])
    expect(told(invalid('data', 'FieldValueTooLong'))).toEqual(['isInvalid'])
    expect(told(invalid('metadata.name', 'FieldValueInvalid'))).toEqual(['isInvalid'])
    expect(told(new ApiError(403, { details: { causes: [{ reason: 'NamespaceTerminating' }] } }))).toEqual([
      'isForbidden',
      'isNamespaceTerminating',
    ])
    expect(told(new Error('404'))).toEqual([])
    expect(told(undefined)).toEqual([])
  })
})

describe('ConnectionError', () => {
  test.each([
    [Object.assign(new Error('read hunter2'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]), 'ECONNREFUSED'],
    [
      Object.assign(new Error('Proxy response (407) !== 200 when HTTP Tunneling'), { code: 'UND_ERR_ABORTED' }),
      'PROXY_407',
    ],
    [new TypeError('Bearer hunter2 is no header'), 'TypeError'],
    ['hunter2', 'UNKNOWN'],
  ])('keeps of %p nothing but a code', (thrown, code) => {
    const error = toConnectionError(thrown, 'https://10.0.0.1:6443')
    expect(error.code).toBe(code)
    expect(error.message).toBe(`no usable answer from https://10.0.0.1:6443 (${code})`)
    expect(inspect(error)).not.toContain('hunter2')
  })

  test.each([
    ['CERT_HAS_EXPIRED', true],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true],
    ['SELF_SIGNED_CERT_IN_CHAIN', true],
    ['ERR_TLS_CERT_ALTNAME_INVALID', true],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', true],
    ['ECONNRESET', false],
    ['ETIMEDOUT', false],
  ])('%s is a TLS error: %j', (code, expected) => {
    expect(isTlsError(new ConnectionError(code, 'https://a'))).toBe(expected)
  })
})
