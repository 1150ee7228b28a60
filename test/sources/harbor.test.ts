/** What is particular to Harbor: which robot account gets a new secret, and where it is found. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Handle } from '../../src/model/login.ts'
import { harbor } from '../../src/sources/harbor.ts'
import type { Issued } from '../../src/sources/source.ts'
import { Harbor, type Robot } from './harbor-server.ts'
import type { IssuerServer } from './issuer-server.ts'
import { SourceLab } from './lab.ts'

const never = new AbortController().signal
const [a, b] = ['robot$acme+pull-a', 'robot$acme+pull-b']

let lab: SourceLab
let server: Harbor
let issuer: IssuerServer

beforeAll(async () => {
  lab = await SourceLab.open()
  await lab.secret('harbor', { username: 'acme-robots', password: 'example-password' })
})

beforeEach(async () => {
  server = new Harbor()
  server.acme.push(robot(3, a), robot(4, b))
  issuer = await lab.issuer(server.answer)
})

function robot(id: number, name: string, changes: Partial<Robot> = {}): Robot {
  return { id, name, disable: false, expires_at: -1, ...changes }
}

async function issue(robots: string[], handle?: Handle): Promise<Issued> {
  const spec = { url: issuer.url, robots, secretRef: { name: 'harbor' } }
  return await harbor.issue(spec, lab.context({ handle }), never)
}

/** Which robot it is a login of, and whether Harbor would take it. */
function loginOf({ given }: Issued): { robot: string; good: boolean } {
  const entry = 'entries' in given ? given.entries.get(new URL(issuer.url).host) : undefined
  const { username = '', password } = entry ?? {}
  return { robot: username, good: server.secrets.get(username) === password }
}

describe('the robot account that gets a new secret', () => {
  test('is in turn one of two, so that the one in use is not touched', async () => {
    let handle: Handle | undefined
    for (const name of [a, b, a, b]) {
      const inUse = handle && server.secrets.get(String(handle.robot))
      const issued = await issue([a, b], handle)
      expect(loginOf(issued)).toEqual({ robot: name, good: true })
      expect(handle && server.secrets.get(String(handle.robot))).toBe(inUse)
      handle = issued.handle
    }
  })

  test('is the same again when the operator did not get to keep it', async () => {
    const { handle } = await issue([a, b])
    expect(loginOf(await issue([a, b], handle)).robot).toBe(b)
    expect(loginOf(await issue([a, b], handle)).robot).toBe(b)
  })

  test('is the only one there is', async () => {
    const { handle } = await issue([a])
    expect(loginOf(await issue([a], handle))).toEqual({ robot: a, good: true })
  })

  test('is the first where the one in use is not named any more', async () => {
    expect(loginOf(await issue([a, b], { robot: 'robot$acme+gone' })).robot).toBe(a)
  })
})

describe('a robot account is found', () => {
  test('among those of the system', async () => {
    server.system.push(robot(9, 'robot$puller'))
    expect(loginOf(await issue(['robot$puller']))).toEqual({ robot: 'robot$puller', good: true })
  })

  test('behind a hundred others', async () => {
    server.system.push(
      ...Array.from({ length: 100 }, (_, i) => robot(100 + i, `robot$other-${i}`)),
      robot(9, 'robot$last'),
    )
    expect(loginOf(await issue(['robot$last'])).robot).toBe('robot$last')
  })

  test('under another prefix that ends in what no name of a project has in it', async () => {
    server.acme.push(robot(5, 'ci*acme+pull'))
    expect(loginOf(await issue(['ci*acme+pull'])).robot).toBe('ci*acme+pull')
  })
})

describe('it fails, and no secret is changed,', () => {
  const yesterday = Math.floor(Date.now() / 1000) - 86_400

  test.each([
    ['is not there', 'robot$none', 'has no robot account robot$none; create it, or correct source.harbor.robots.'],
    [
      'is of a project that cannot be seen',
      'robot$other+pull',
      'refuses (403 FORBIDDEN); check source.harbor.robots, and that',
    ],
    ['is disabled', 'robot$disabled', 'is disabled; enable it.'],
    ['has expired', 'robot$expired', 'has expired; extend its expiration time.'],
  ])('when the robot account %s', async (_, name, says) => {
    server.system.push(
      robot(7, 'robot$disabled', { disable: true }),
      robot(8, 'robot$expired', { expires_at: yesterday }),
    )
    const problem = { reason: 'IssuerRefused', message: expect.stringContaining(says) }
    await expect(issue([name])).rejects.toMatchObject(problem)
    expect(server.secrets.size).toBe(0)
  })

  test.each([
    ['robots without a name', [{ id: 3 }], 'IssuerRefused'],
    ['a robot account without an id', [{ name: 'robot$a', expires_at: -1 }], 'IssuerInvalid'],
    ['a robot account without its end', [{ name: 'robot$a', id: 3 }], 'IssuerInvalid'],
    ['no list', {}, 'IssuerInvalid'],
  ])('when Harbor lists %s', async (_, body, reason) => {
    issuer.answer = () => ({ body })
    await expect(issue(['robot$a'])).rejects.toMatchObject({ name: 'SourceProblem', reason })
    expect(issuer.requests.map(({ method }) => method)).toEqual(['GET'])
  })
})
