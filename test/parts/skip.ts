/** Tests that need a part which this machine may lack. */
import { test } from '@jest/globals'
import { type PartName, partMissing } from './parts.ts'

type Test = (name: string, run: () => Promise<void>, timeoutMs?: number) => void

/** As `test`; where one of the parts is missing the test is skipped, and its name tells why. */
export function testWith(...parts: PartName[]): Test {
  const reason = partMissing(...parts)
  return reason === undefined ? test : (name, run) => test.skip(`${name} (${reason})`, run)
}
