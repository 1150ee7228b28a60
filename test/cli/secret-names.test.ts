import { expect, test } from '@jest/globals'
import { allowedNames, type Deployment, namesInArguments, valuesInArguments } from '../../src/cli/secret-names.ts'
import { observeCredential } from '../../src/controller/observe.ts'
import type { KubeObject } from '../../src/kube/objects.ts'
import { condition, credentialWith } from './credentials.ts'

function deployment(...args: string[]): Deployment {
  const metadata = { name: 'regcred-operator', uid: 'uid', resourceVersion: '1' }
  return { metadata, spec: { template: { spec: { containers: [{ name: 'operator', args }] } } } }
}

function credential(secretName: string, reason: string, observedGeneration = 1) {
  const made = credentialWith({ observedGeneration, conditions: [condition('Ready', 'False', reason)] })
  return observeCredential({ ...made, spec: { ...made.spec, secretName } } as unknown as KubeObject)
}

test.each([
  ['none: the default', [], ['regcred']],
  ['each in one word', ['--leader-elect', '--secret-name=regcred', '--secret-name=ci'], ['regcred', 'ci']],
  ['in two words', ['--secret-name', 'ci'], ['ci']],
])('arguments with %s', (_, args, names) => {
  expect(namesInArguments(deployment(...args))).toEqual(names)
})

test('arguments of another flag, which the Deployment may lack', () => {
  const flag = '--trusted-registries'
  expect(valuesInArguments(deployment('--secret-name=ci', `${flag}=list`), flag)).toEqual(['list'])
  expect(valuesInArguments(deployment(flag, 'list'), flag)).toEqual(['list'])
  expect(valuesInArguments(deployment(`${flag}-other=list`), flag)).toEqual([])
})

test('what the operator said of a name counts more than its Deployment, which need not be what runs', () => {
  const names = allowedNames(deployment('--secret-name=regcred', '--secret-name=old'), [
    credential('ci', 'Succeeded'),
    credential('old', 'SecretNameNotAllowed'),
    credential('new', 'Succeeded', 0),
  ])
  expect(names).toEqual(['ci', 'regcred'])
  expect(allowedNames(undefined, [])).toEqual(['regcred'])
})
