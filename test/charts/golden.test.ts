/**
 * What helm makes of the chart, to be read in a review: golden/. After a change of the chart that is meant:
 * `UPDATE_GOLDEN=1 npm run test:only -- test/charts/golden.test.ts`, and look at the difference.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { everything, render } from './chart.ts'

test.each([
  { name: 'default', args: [] },
  { name: 'everything', args: ['-f', everything] },
])('with the values $name it makes what golden/$name.yaml has, and the CRD', async ({ name, args }) => {
  const file = join(import.meta.dirname, 'golden', `${name}.yaml`)
  const text = withoutCrd(await render({}, { args }))
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, 'utf8'))
})

/** Its 1,300 lines are compared with crds/ in same.test.ts. */
function withoutCrd(text: string): string {
  const documents = text.split(/^---\n/m)
  const others = documents.filter((document) => !/^kind: CustomResourceDefinition$/m.test(document))
  expect(documents.length - others.length).toBe(1)
  return others.join('---\n')
}
