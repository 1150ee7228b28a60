import { describe, expect, test } from '@jest/globals'
import { Board } from '../../src/controller/board.ts'
import { outcome } from '../model/findings.ts'

/** With the credentials that were told to have changed. */
function open() {
  const changed: string[] = []
  return { changed, board: new Board((credential) => changed.push(credential)) }
}

describe('outcomes of one credential that say the same', () => {
  test('are kept once, however many namespaces they are of', () => {
    const { board } = open()
    for (const namespace of ['team-a', 'team-b', 'team-c']) {
      board.report(
        'a',
        namespace,
        outcome({ serviceAccounts: { selected: namespace === 'team-b' ? 2 : 1, linked: 1 } }),
      )
    }
    expect(board.outcomeOf('a', 'team-a')).toBe(board.outcomeOf('a', 'team-c'))
    expect(board.outcomeOf('a', 'team-b')).toMatchObject({ serviceAccounts: { selected: 2 } })
    expect(board.tally('a', 2)).toMatchObject({ selected: 3, synced: 3, serviceAccounts: { selected: 4, linked: 3 } })
  })

  test('are told once for each namespace', () => {
    const { changed, board } = open()
    board.expect('a', 'team-a', true)
    for (let look = 0; look < 3; look++) board.report('a', 'team-a', outcome())
    board.report('a', 'team-b', outcome())
    expect(changed).toEqual(['a', 'a'])
    board.report('a', 'team-a', outcome({ version: 1 }))
    board.report('a', 'team-a', outcome())
    expect(changed).toHaveLength(4)
  })
})

test('what was taken out of a namespace is told once, and is not there any more', () => {
  const { changed, board } = open()
  board.report('a', 'team-a', undefined)
  board.report('a', 'team-a', outcome())
  board.report('a', 'team-a', undefined)
  board.report('a', 'team-a', undefined)
  expect(changed).toEqual(['a', 'a'])
  expect(board.has('a', 'team-a')).toBe(false)
})
