/** ECR: which registries a login is for, until when, and what cannot be used. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { ecr } from '../../src/sources/ecr.ts'
import type { Issued, SpecOf } from '../../src/sources/source.ts'
import { account, awsIssuer, hostIn, longTermKeys, passwordOf } from './aws-issuer.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const example = join(import.meta.dirname, '..', '..', 'examples', 'sources', 'ecr', 'credential.yaml')
const wish = { secret: 'wished', expiresAt: new Date('2099-01-01T12:00:00Z') }
const environment = { ...process.env }
const { signal } = new AbortController()

let lab: SourceLab
let aws: IssuerServer

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.secret('keys', longTermKeys)
})
beforeEach(async () => {
  aws = await lab.issuer(awsIssuer(() => wish))
  process.env.AWS_ENDPOINT_URL = aws.url
})
afterEach(() => {
  process.env = { ...environment }
})

async function issue(spec: Omit<SpecOf<'ecr'>, 'secretRef'>): Promise<Issued> {
  return ecr.issue({ ...spec, secretRef: { name: 'keys' } }, lab.context(), signal)
}

function login(region: string) {
  return { username: 'AWS', password: passwordOf(wish, longTermKeys.accessKeyId, region) }
}

test("one region gives the account's registry there, until the token ends", async () => {
  expect(await issue({ regions: ['eu-central-1'] })).toEqual({
    given: { entries: new Map([[hostIn('eu-central-1'), login('eu-central-1')]]) },
    expiresAt: wish.expiresAt,
  })
})

test('every region is asked once, for all the accounts together, and its login is for its registries only', async () => {
  const regions = ['eu-central-1', 'cn-north-1', 'us-gov-west-1']
  const registryIds = [account, '210987654321']
  const { given } = await issue({ regions, registryIds })
  const hosts = regions.flatMap((region) => registryIds.map((id) => [hostIn(region, id), login(region)] as const))
  expect(given).toEqual({ entries: new Map(hosts) })
  expect(aws.requests).toHaveLength(regions.length)
})

test('the end is that of the token that ends first', async () => {
  const ends = [new Date('2099-01-03T00:00:00Z'), new Date('2099-01-01T00:00:00Z'), new Date('2099-01-02T00:00:00Z')]
  aws.answer = awsIssuer(() => ({ secret: 'wished', expiresAt: ends.pop() ?? new Date(0) }))
  const { expiresAt } = await issue({ regions: ['eu-central-1', 'eu-west-1', 'eu-north-1'] })
  expect(expiresAt).toEqual(new Date('2099-01-01T00:00:00Z'))
})

test('the example gives what its page promises', async () => {
  await lab.serviceAccount('ecr-puller')
  const { source } = parse(readFileSync(example, 'utf8')).spec
  const { given } = await ecr.issue(source.ecr, lab.context(), signal)
  expect(given).toEqual({
    entries: new Map(source.ecr.regions.map((region: string) => [hostIn(region), expect.anything()])),
  })
})

test('a password may have colons', async () => {
  const password = 'a:b:c'
  answerWith({ authorizationToken: base64(`AWS:${password}`) })
  const { given } = await issue({ regions: ['eu-central-1'] })
  expect(given).toEqual({ entries: new Map([[hostIn('eu-central-1'), { username: 'AWS', password }]]) })
})

describe('an answer cannot be used', () => {
  test.each([
    ['that has no token at all', undefined, 'authorizationData'],
    ['whose token is missing', { authorizationToken: undefined }, 'authorizationToken'],
    ['whose token has no password', { authorizationToken: base64('canary') }, 'authorizationToken'],
    ['whose token has no username', { authorizationToken: base64(':canary') }, 'authorizationToken'],
    ['that does not say when it ends', { expiresAt: undefined }, 'expiresAt'],
    ['that does not say where it is for', { proxyEndpoint: undefined }, 'proxyEndpoint'],
    ['whose registry is not a URL', { proxyEndpoint: 'canary' }, 'proxyEndpoint'],
  ])('%s', async (_, token, field) => {
    answerWith(token)
    await expect(issue({ regions: ['eu-central-1'] })).rejects.toMatchObject({
      reason: 'IssuerInvalid',
      message: expect.stringMatching(`^Amazon ECR in eu-central-1 answered, but its answer has no ${field}[^:]*\\.$`),
    })
  })
})

/** All is well with the answer but for what is given here. */
function answerWith(token: object | undefined): void {
  const good = {
    authorizationToken: base64('AWS:password'),
    expiresAt: 4_000_000_000,
    proxyEndpoint: `https://${hostIn('eu-central-1')}`,
  }
  aws.answer = () => ({ body: { authorizationData: token === undefined ? [] : [{ ...good, ...token }] } })
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
