import { expect, test } from '@jest/globals'
import { type Population, type UsingPod, usesOf } from '../../../src/cli/who/uses.ts'
import { credential, madeOf, namespace, secret, serviceAccount } from '../../model/builders.ts'

const linked = serviceAccount({ pullSecrets: ['regcred'] })

function pod(facts: Partial<UsingPod> = {}): UsingPod {
  return {
    namespace: 'team-a',
    serviceAccount: 'default',
    pullSecrets: ['regcred'],
    workload: 'Deployment/web',
    ...facts,
  }
}

/** The credential hub is for team-a, where its Secret is and the ServiceAccount `default` names it. */
function uses(given: Partial<Population> = {}): unknown[] {
  const all = usesOf({
    credentials: [credential('hub')],
    namespaces: [namespace()],
    serviceAccounts: [linked],
    secrets: [madeOf('hub')],
    pods: [],
    ...given,
  })
  return all.map(({ credential: name, namespace: where, serviceAccount: account, state, pods, workloads }) =>
    [name, where, account, state, pods, workloads].join(' ').trimEnd(),
  )
}

const optsOut = { 'regcred.dev/opt-out': 'true' }

test.each<[string, Partial<Population>, string[]]>([
  ['a ServiceAccount that names the Secret', {}, ['hub team-a default Linked 0 0']],
  ['one that does not yet', { serviceAccounts: [serviceAccount()] }, ['hub team-a default NotLinked 0 0']],
  [
    'one that is not selected',
    { serviceAccounts: [linked, serviceAccount({ name: 'other' })] },
    ['hub team-a default Linked 0 0'],
  ],
  [
    'one that is not selected, and names the Secret',
    { serviceAccounts: [serviceAccount({ name: 'other', pullSecrets: ['regcred'] })] },
    ['hub team-a other Linked 0 0'],
  ],
  ['a foreign Secret', { secrets: [secret()] }, ['hub team-a default NoLogin 0 0']],
  ['a Secret of another credential', { secrets: [madeOf('other')] }, ['hub team-a default NoLogin 0 0']],
  ['no Secret', { secrets: [] }, ['hub team-a default NoLogin 0 0']],
  ['Secrets that must not be listed', { secrets: undefined }, ['hub team-a default Linked 0 0']],
  [
    'a login that is still there after the opt-out',
    { namespaces: [namespace('team-a', optsOut)] },
    ['hub team-a default Linked 0 0'],
  ],
  ['a namespace that opted out', { namespaces: [namespace('team-a', optsOut)], secrets: [] }, []],
  [
    'a login that nobody uses',
    { serviceAccounts: [], credentials: [credential('hub', { serviceAccounts: [] })] },
    ['hub team-a  SecretOnly 0 0'],
  ],
  [
    'pods that name the Secret themselves',
    { serviceAccounts: [serviceAccount({ name: 'other' })], pods: [pod({ serviceAccount: 'other' })] },
    ['hub team-a other PodsOnly 1 1'],
  ],
  [
    'pods are counted that name it, and what they are of',
    {
      pods: [
        pod(),
        pod(),
        pod({ workload: 'Job/once' }),
        pod({ pullSecrets: ['mine'] }),
        pod({ serviceAccount: 'other' }),
        pod({ namespace: 'team-b' }),
      ],
    },
    ['hub team-a default Linked 3 2'],
  ],
  ['pods that nobody counted', { pods: undefined }, ['hub team-a default Linked']],
])('%s', (_, given, expected) => {
  expect(uses(given)).toEqual(expected)
})

test('rows are in the order of credential, namespace and ServiceAccount', () => {
  const accounts = ['b', 'a'].flatMap((where) => ['y', 'x'].map((name) => serviceAccount({ namespace: where, name })))
  const rows = uses({
    credentials: ['two', 'one'].map((name) => credential(name, { serviceAccounts: ['*'] })),
    namespaces: [namespace('b'), namespace('a')],
    serviceAccounts: accounts,
    secrets: undefined,
    pods: undefined,
  })
  expect(rows.map((row) => String(row).replace(' NotLinked', ''))).toEqual([
    'one a x',
    'one a y',
    'one b x',
    'one b y',
    'two a x',
    'two a y',
    'two b x',
    'two b y',
  ])
})
