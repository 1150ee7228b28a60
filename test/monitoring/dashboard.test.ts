import { expect, test } from '@jest/globals'
import { asked, dashboard } from './dashboard.ts'

const { panels, templating, ...rest } = dashboard()
const drawn = panels.filter(({ type }) => type !== 'row')

test('every panel has a place of its own within the width of the grid', () => {
  const cells = panels.flatMap(({ title, gridPos: { x, y, w, h } }) => {
    expect([title, x + w <= 24]).toEqual([title, true])
    return Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`)
  })
  expect(new Set(cells).size).toBe(cells.length)
  const ids = panels.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})

test('every panel has a title, a unit, and queries with names of their own', () => {
  for (const { title, targets = [], fieldConfig } of drawn) {
    expect(title).not.toBe('')
    expect([title, fieldConfig?.defaults.unit]).toEqual([title, expect.any(String)])
    const names = targets.map(({ refId }) => refId)
    expect(names.length).toBeGreaterThan(0)
    expect(new Set(names).size).toBe(names.length)
  }
})

test('the data source and what a query may name are variables, and no other variables are named', () => {
  const names = templating.list.map(({ name }) => name)
  expect(names).toEqual(['datasource', 'job', 'credential'])
  for (const { title, targets = [] } of drawn) {
    for (const { expr } of targets) {
      expect([title, asked(expr, 60)]).toEqual([title, expect.not.stringContaining('$')])
      expect([title, expr]).toEqual([title, expect.stringContaining('job=~"$job"')])
    }
  }
  expect(JSON.stringify([panels, templating]).match(/"uid":"(?!\$\{datasource\})/)).toBeNull()
  expect(rest).toMatchObject({ uid: 'regcred-operator', schemaVersion: 39 })
})
