/** AWS as moto plays it, and the kubelet's credential provider in front of it. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fetch } from 'undici'
import { rootCause } from '../cluster/errors.ts'
import { freePorts } from '../cluster/ports.ts'
import { ecrCredentialProviderPath } from './ecr-credential-provider.ts'
import { type Moto, startMoto } from './moto.ts'
import { partMissing } from './parts.ts'
import { testWith } from './skip.ts'

const region = 'eu-central-1'
const ROLE = 'arn:aws:iam::210987654321:role/puller'
const HOST = `123456789012.dkr.ecr.${region}.amazonaws.com`

const testWithMoto = testWith('moto')

let moto: Moto | undefined
beforeAll(async () => {
  if (partMissing('moto') === undefined) moto = await startMoto()
})
afterAll(() => moto?.stop())
const endpoint = (): string => moto?.url ?? ''

describe('moto', () => {
  testWithMoto('gives an ECR token, of a time long past', async () => {
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
    const ecr = new ECRClient({ endpoint: endpoint(), region, credentials })
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand())
    expect(authorizationData).toEqual([
      {
        authorizationToken: Buffer.from('AWS:123456789012-auth-token').toString('base64'),
        proxyEndpoint: `https://${HOST}`,
        expiresAt: new Date('2015-01-01T00:00:00Z'),
      },
    ])
    ecr.destroy()
  })

  testWithMoto('gives the keys of a role for a token', async () => {
    const sts = new STSClient({ endpoint: endpoint(), region })
    const request = { RoleArn: ROLE, RoleSessionName: 'test', WebIdentityToken: 'any' }
    const { Credentials, AssumedRoleUser } = await sts.send(new AssumeRoleWithWebIdentityCommand(request))
    expect(Credentials).toMatchObject({ AccessKeyId: expect.any(String), SessionToken: expect.any(String) })
    expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts::210987654321:assumed-role/puller/test')
    sts.destroy()
  })

  testWithMoto('is gone when it is stopped', async () => {
    const { url, stop } = await startMoto()
    expect((await fetch(`${url}/moto-api/`)).status).toBe(200)
    await stop()
    expect(await fetch(url).catch(rootCause)).toContain('ECONNREFUSED')
  })
})

describe('the ECR credential provider', () => {
  interface Run {
    code: number | null
    stdout: string
  }

  async function run(url: string, request: object): Promise<Run> {
    const env = {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
      AWS_EC2_METADATA_DISABLED: 'true',
    }
    const child = execFile(ecrCredentialProviderPath(), { env })
    let stdout = ''
    child.stdout?.on('data', (chunk: string) => {
      stdout += chunk
    })
    const kind = { apiVersion: 'credentialprovider.kubelet.k8s.io/v1', kind: 'CredentialProviderRequest' }
    child.stdin?.end(JSON.stringify({ ...kind, image: `${HOST}/team/app:1`, ...request }))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, stdout }
  }

  testWithMoto('answers as the kubelet expects it', async () => {
    const { code, stdout } = await run(endpoint(), {})
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      kind: 'CredentialProviderResponse',
      cacheKeyType: 'Registry',
      auth: { [HOST]: { username: 'AWS', password: '123456789012-auth-token' } },
    })
  })

  testWithMoto("takes the role of a pod's ServiceAccount", async () => {
    const serviceAccountAnnotations = { 'eks.amazonaws.com/ecr-role-arn': ROLE }
    const { stdout } = await run(endpoint(), { serviceAccountToken: 'any', serviceAccountAnnotations })
    expect(JSON.parse(stdout).auth[HOST].password).toBe('210987654321-auth-token')
  })

  test('fails without a word on stdout where AWS does not answer', async () => {
    const [port] = await freePorts(1)
    expect(await run(`http://127.0.0.1:${port}`, {})).toEqual({ code: 1, stdout: '' })
  })
})
