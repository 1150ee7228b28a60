/** ECR against moto, which is somebody else's idea of AWS: its checks are none, but its calls and answers are the real ones. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals'
import { ecr } from '../../src/sources/ecr.ts'
import type { SpecOf } from '../../src/sources/source.ts'
import { issue } from '../../src/sources/sources.ts'
import { type Moto, startMoto } from '../parts/moto.ts'
import { partMissing } from '../parts/parts.ts'
import { testWith } from '../parts/skip.ts'
import { account, hostIn, longTermKeys } from './aws-issuer.ts'
import { SourceLab } from './lab.ts'

const environment = { ...process.env }
const { signal } = new AbortController()
const secretRef = { name: 'keys' }
const accounts = { first: '210987654321', second: '345678901234' }
const roles = Object.values(accounts).map((id) => ({ arn: `arn:aws:iam::${id}:role/pull` }))

let lab: SourceLab
let moto: Moto | undefined

beforeAll(async () => {
  if (partMissing('moto') === undefined) moto = await startMoto()
  lab = await SourceLab.open()
  await lab.secret('keys', longTermKeys)
  await lab.serviceAccount('puller')
})
beforeEach(() => {
  if (moto) process.env.AWS_ENDPOINT_URL = moto.url
})
afterEach(() => {
  process.env = { ...environment }
})
afterAll(() => moto?.stop())

/** Host → password; moto's passwords tell the account that is asked for. */
async function passwords(spec: SpecOf<'ecr'>): Promise<Record<string, string>> {
  const { given } = await ecr.issue(spec, lab.context(), signal)
  if (!('entries' in given)) throw new Error('no entries')
  return Object.fromEntries([...given.entries].map(([host, { password }]) => [host, password]))
}

testWith('moto')('a token of 2015, which is all that moto has, has ended already', async () => {
  const asked = issue({ ecr: { regions: ['eu-central-1'], secretRef } }, lab.context(), signal)
  await expect(asked).rejects.toMatchObject({
    reason: 'AlreadyExpired',
    message: expect.stringContaining('2015-01-01'),
  })
})

testWith('moto')('every region gives an entry for every account', async () => {
  const regions = ['eu-central-1', 'us-west-2']
  const registryIds = [account, accounts.first]
  const all = regions.flatMap((region) => registryIds.map((id) => [hostIn(region, id), `${id}-auth-token`]))
  expect(await passwords({ regions, registryIds, secretRef })).toEqual(Object.fromEntries(all))
})

testWith('moto')('a token of a ServiceAccount gets the registry of the role', async () => {
  expect(
    await passwords({ regions: ['eu-central-1'], serviceAccountName: 'puller', roles: roles.slice(0, 1) }),
  ).toEqual({
    [hostIn('eu-central-1', accounts.first)]: `${accounts.first}-auth-token`,
  })
})

testWith('moto')('a chain of roles gets the registry of the last', async () => {
  const expected = { [hostIn('eu-central-1', accounts.second)]: `${accounts.second}-auth-token` }
  expect(await passwords({ regions: ['eu-central-1'], serviceAccountName: 'puller', roles })).toEqual(expected)
  expect(await passwords({ regions: ['eu-central-1'], secretRef, roles })).toEqual(expected)
})
