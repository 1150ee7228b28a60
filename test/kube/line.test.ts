import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Line } from '../../src/kube/line.ts'

describe('a line', () => {
  test('lets them out in the order in which they came', () => {
    const line = new Line<string>()
    for (const member of ['a', 'b', 'c']) line.add(member)
    expect([line.first, line.shift(), line.shift(), line.shift(), line.shift()]).toEqual([
      'a',
      'a',
      'b',
      'c',
      undefined,
    ])
  })

  test('is what an array with the same additions, departures and calls would be', () => {
    const step = fc.record({ what: fc.constantFrom('add', 'delete', 'shift', 'clear'), member: fc.nat(8) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const line = new Line<number>()
        let model: number[] = []
        for (const { what, member } of steps) {
          if (what === 'add') {
            line.add(member)
            if (!model.includes(member)) model.push(member)
          } else if (what === 'delete') {
            line.delete(member)
            model = model.filter((each) => each !== member)
          } else if (what === 'clear') {
            line.clear()
            model = []
          } else {
            expect(line.shift()).toBe(model.shift())
          }
          expect([line.size, line.first]).toEqual([model.length, model[0]])
        }
      }),
    )
  })
})
