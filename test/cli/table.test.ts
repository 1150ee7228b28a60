import { expect, test } from '@jest/globals'
import { Table } from '../../src/cli/table.ts'

test('columns are as wide as their widest cell and three spaces, the last one ends with its text', () => {
  const table = new Table(['NAME', 'READY', 'AGE'])
  expect(table.head([['dockerhub', 'True', '5d']])).toBe('NAME        READY   AGE\ndockerhub   True    5d\n')
})

test('rows that come later stand below the first ones', () => {
  const table = new Table(['A', 'B'])
  table.head([['a-long-name', 'x']])
  expect(table.body([['short', 'y']])).toBe('short         y\n')
})

test('a cell without text says so, and one with line breaks stays one line', () => {
  expect(new Table(['A', 'B']).body([['', 'two\nlines']])).toBe('<none>   two lines\n')
})

test('what steers terminals is shown', () => {
  expect(new Table(['A', 'B']).body([['x', '\u001b[31mred\u009b']])).toBe('x     \\u001b[31mred\\u009b\n')
})
