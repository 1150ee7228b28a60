import { expect, test } from '@jest/globals'
import { blame, contend } from '../../src/model/blame.ts'
import type { Contended } from '../../src/model/contended.ts'
import type { DesiredSecret } from '../../src/model/desired.ts'
import type { Target } from '../../src/model/target.ts'
import { credential, entriesFor, serviceAccount, state } from './builders.ts'

const a = state(credential('a'), { entries: entriesFor('a', 'a.io') })
const problem = { reason: 'Forbidden', message: 'refused' }
const contended: Contended = { kind: 'ServiceAccount', name: 'default', manager: undefined }
const linked = serviceAccount({ pullSecrets: ['regcred'], managed: ['regcred'] })

function target(desired: DesiredSecret): Target {
  return {
    desired,
    observed: undefined,
    change: 'none',
    wanted: undefined,
    mayBeSource: false,
    isWritten: true,
    available: true,
    failure: undefined,
    stuck: undefined,
    contended: undefined,
  }
}

const wanted = () => target({ name: 'regcred', selectedBy: new Set([a]), state: 'present', contributors: [a] })
const unwanted = () => target({ name: 'regcred', selectedBy: new Set(), state: 'absent' })

test('what keeps a reference from being added is a failure, from being taken off a thing that is stuck', () => {
  const [toAdd, toRemove] = [wanted(), unwanted()]
  blame(problem, serviceAccount(), [toAdd])
  blame(problem, linked, [toRemove])
  const about = { reason: 'Forbidden', message: 'ServiceAccount default: refused' }
  expect([toAdd.failure, toAdd.stuck]).toEqual([about, undefined])
  expect([toRemove.failure, toRemove.stuck]).toEqual([undefined, about])
})

test('what is right already, or of which nothing is known, is not to blame', () => {
  const [there, gone, unknown] = [wanted(), unwanted(), unwanted()]
  blame(problem, linked, [there])
  blame(problem, serviceAccount(), [gone])
  blame(problem, { ...linked, tooMany: true }, [unknown])
  for (const { failure, stuck } of [there, gone, unknown]) expect([failure, stuck]).toEqual([undefined, undefined])
})

test('a reference that is taken off again and again counts as contended also while it is there', () => {
  for (const account of [linked, serviceAccount()]) {
    const each = wanted()
    contend(contended, account, [each])
    expect([each.contended, each.failure, each.stuck]).toEqual([contended, undefined, undefined])
  }
})

test('one that is put back again and again is contended until it is off, and does not keep its Secret', () => {
  const [back, off] = [unwanted(), unwanted()]
  contend(contended, linked, [back])
  contend(contended, serviceAccount(), [off])
  expect([back.contended, back.stuck]).toEqual([contended, undefined])
  expect([off.contended, off.stuck]).toEqual([undefined, undefined])
})

test('of several ServiceAccounts the first is told', () => {
  const each = wanted()
  contend(contended, linked, [each])
  contend({ ...contended, name: 'other' }, { ...linked, name: 'other' }, [each])
  expect(each.contended?.name).toBe('default')
})
