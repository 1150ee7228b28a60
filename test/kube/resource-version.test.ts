import { expect, test } from '@jest/globals'
import { compareVersions } from '../../src/kube/resource-version.ts'

test.each([
  ['9', '10', -1],
  ['10', '9', 1],
  ['10', '10', 0],
  ['', '1', -1],
  ['9007199254740993', '9007199254740992', 1],
  ['99999999999999999999999999999999999999', '100000000000000000000000000000000000000', -1],
])('of the versions %j and %j the newer one is known, also beyond what a number can hold', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign)
})
