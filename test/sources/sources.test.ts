/** What is not taken from any source, whatever its issuer says. */
import { beforeAll, expect, test } from '@jest/globals'
import { issue } from '../../src/sources/sources.ts'
import { SourceLab } from './lab.ts'

const never = new AbortController().signal

let lab: SourceLab

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.secret('gitlab', { token: 'glpat-example-0123456789' })
})

/** Asks a GitLab whose deploy token ends then. */
async function endingAt(expires_at: string) {
  const { url } = await lab.issuer(() => ({ body: { id: 1, username: 'u', token: 'example-token', expires_at } }))
  const at = { url, registry: 'registry.example.com', project: 'acme/app', lifetimeDays: 14 }
  return await issue({ gitlab: { ...at, secretRef: { name: 'gitlab' } } }, lab.context(), never)
}

test('an end that the API server could not be told is none', async () => {
  await expect(endingAt('+010000-01-01T00:00:00Z')).rejects.toMatchObject({ reason: 'IssuerInvalid' })
  expect((await endingAt('9999-12-31T00:00:00Z')).expiresAt?.toISOString()).toBe('9999-12-31T00:00:00.000Z')
})

test('a login that ends at once has ended, also within the time by which clocks may differ', async () => {
  const asked = endingAt(new Date().toISOString())
  await expect(asked).rejects.toMatchObject({ reason: 'AlreadyExpired', retryAfterSeconds: 60 })
})
