/** Tests that need a part which this machine may lack. */
import { test } from '@jest/globals'
import { type PartName, partMissing } from './parts.ts'

type Test = (name: string, run: () => Promise<void>) => void

/** As `test`; where the part is missing the test is skipped, and its name tells why. */
export function testWith(part: PartName): Test {
  const reason = partMissing(part)
  return reason === undefined ? test : (name, run) => test.skip(`${name} (${reason})`, run)
}
