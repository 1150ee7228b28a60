/** What happens between the operator and the API server: connections, answers and watches that are not as they should be. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from '@jest/globals'
import { eventually } from '../cluster/wait.ts'
import { type HttpProxy, type Interference, isWatch } from '../kube/http-proxy.ts'
import { isLong, scaled } from '../support/scale.ts'
import type { Fault, Site } from './fault.ts'
import { revisionOf } from './history.ts'
import { tells, tellsOfNothing } from './observed.ts'
import { type Phase, phases } from './world.ts'
import { errorEvent, halved, late, lost, refusal } from './worse-answers.ts'
import { cutInHalf, doubledAndReversed, nothing } from './worse-watches.ts'

const restarted = (reason: string) => new RegExp(`regcred_watch_restarts_total\\{.*reason="${reason}"`)
const answered = (code: string) => new RegExp(`rest_client_requests_total\\{.*code="${code}"`)

const quickly = { times: { quick: 1, long: 6 }, namespaces: { quick: 24, long: 60 } }
const throughTcp = { ...quickly, through: 'tcp' } as const
/** With a lease there is something to write at any time, and to lose. */
const throughHttp = { ...quickly, through: 'http', leaderElection: true } as const
const also = ({ operator }: Site) => tellsOfNothing(operator)
/** In a quick run, the phase that hangs most on what is broken. */
const during = (phase: Phase) => (isLong ? phases : [phase])

export const networkFaults: Fault[] = [
  {
    ...throughTcp,
    name: 'all connections are cut, again and again',
    during: during('fan-out'),
    async strike({ tcp, random }) {
      const end = performance.now() + lastingMs()
      while (performance.now() < end) {
        tcp.cut()
        await sleep(50 + 500 * random())
      }
    },
    also,
  },
  {
    ...throughTcp,
    name: 'all connections fall silent (half-open TCP)',
    times: { quick: 0, long: 6 }, // a watch may be silent for 90 s
    during: phases,
    async strike({ tcp }) {
      tcp.freeze()
    },
    // What has been asked meanwhile was done over new connections, so it may be long over when the silence is noticed.
    also: async ({ operator }) => tells(operator, /caches ok/, restarted('idle')),
  },
  {
    ...throughHttp,
    name: 'answers are lost: all is done, and the connection reset',
    during: during('fan-out'),
    strike: (site) => lasting(site, () => lost, /no usable answer.*failed/s, restarted('error')),
    also,
  },
  {
    ...throughHttp,
    name: 'watches are closed as soon as they are opened',
    during: during('rotation'),
    strike: (site) =>
      lasting(site, ofWatches({ text: nothing }), /closed as soon as it was opened/, restarted('error')),
    also,
  },
  {
    ...throughHttp,
    name: '410 Gone as the answer to every watch',
    during: during('rotation'),
    strike: (site) => tooOld(site, refusal(410, 'Expired')),
    also,
  },
  {
    ...throughHttp,
    name: '410 Gone as the first event of every watch',
    during: during('removal'),
    strike: (site) => tooOld(site, errorEvent(410, 'Expired')),
    also,
  },
  {
    ...throughHttp,
    name: '429 with Retry-After: 1 to everything',
    during: during('fan-out'),
    strike: (site) => {
      const refused = refusal(429, 'TooManyRequests', { 'retry-after': '1' })
      return lasting(site, () => refused, /failed for \d+ s \(429\)/, answered('429'))
    },
    also,
  },
  {
    ...throughHttp,
    name: '500 and 503 in turn to everything',
    during: during('rotation'),
    strike: (site) => {
      const refusals = [refusal(500, 'InternalError'), refusal(503, 'ServiceUnavailable')]
      let turn = 0
      return lasting(site, () => refusals[turn++ % 2], /failed for \d+ s \(50[03]\)/, answered('503'))
    },
    also,
  },
  {
    ...throughHttp,
    name: '503 to every second write in a namespace, from before the beginning',
    during: during('fan-out'),
    early: true,
    async strike({ http, world }) {
      let writes = 0
      http.interfere = (method, { pathname }) => {
        const isInPlace = world.places.some(({ name }) => pathname.startsWith(`/api/v1/namespaces/${name}/`))
        return method !== 'GET' && isInPlace && writes++ % 2 === 0 ? refusal(503, 'ServiceUnavailable') : undefined
      }
      await eventually(() => expect(writes).toBeGreaterThan(world.places.length))
      http.interfere = () => undefined
    },
  },
  {
    ...throughHttp,
    name: '507 to every write',
    during: during('removal'),
    strike: (site) => {
      const full = refusal(507, 'InsufficientStorage')
      const interfere: HttpProxy['interfere'] = (method) => (method === 'GET' ? undefined : full)
      return lasting(site, interfere, /writes have failed for \d+ s \(507\)/, answered('507'))
    },
    also,
  },
  {
    ...throughHttp,
    name: 'every answer takes 30 s, twice as long as the operator waits',
    during: during('fan-out'),
    strike: (site) => lasting(site, () => late, /failed for \d+ s \(no answer\)/, answered('<error>')),
    also,
  },
  {
    ...throughHttp,
    name: 'every answer and every event is half of its JSON',
    during: during('rotation'),
    strike: (site) => {
      const interfere: HttpProxy['interfere'] = (method, url) => (isWatch(method, url) ? { text: cutInHalf } : halved)
      return lasting(site, interfere, /ERR_INVALID_JSON/, restarted('error'))
    },
    also,
  },
  {
    ...throughHttp,
    name: 'events come twice, and later ones before earlier ones',
    during: during('rotation'),
    strike: (site) =>
      lasting(site, ofWatches({ text: doubledAndReversed }), /caches ok/, /leader_election_master_status/),
    also,
  },
]

function lastingMs(): number {
  return scaled({ quick: 4, long: 20 }) * 1000
}

/**
 * For a while, all requests meet this, and those of the watches of now as well. The operator says so, and how often it asks
 * for each watch is bounded.
 */
async function lasting(
  { http, operator }: Site,
  interfere: HttpProxy['interfere'],
  note: RegExp,
  metric: RegExp,
): Promise<void> {
  const [before, start] = [http.requests.length, performance.now()]
  http.interfere = interfere
  http.endWatches()
  await Promise.all([sleep(lastingMs()), tells(operator, note, metric)])
  http.interfere = () => undefined
  const seconds = (performance.now() - start) / 1000
  const most = mostOfAWatch(http.requests.slice(before))
  http.endWatches()
  // At once, and (410) once more at once; after 0.4, 0.8, 1.6 … s, in the end every 8 s at least.
  expect(most).toBeLessThanOrEqual(6 + seconds / 8)
}

/** For a while every version is too old for a watch; from then on those of the past are, so that only a list can help. */
async function tooOld(site: Site, gone: Interference): Promise<void> {
  const { cluster, http } = site
  await lasting(site, ofWatches(gone), /410 Expired/, restarted('expired'))
  const now = await revisionOf(cluster.etcdUrl)
  const isPast = (url: URL) => Number(url.searchParams.get('resourceVersion')) < now
  http.interfere = (method, url) => (isWatch(method, url) && isPast(url) ? gone : undefined)
  http.endWatches()
}

/** How often the watch was asked for that was asked for most often. */
function mostOfAWatch(requests: HttpProxy['requests']): number {
  const watches = requests.filter(({ method, url }) => isWatch(method, url))
  const key = ({ pathname, searchParams }: URL) => `${pathname} ${searchParams.get('fieldSelector')}`
  return Math.max(0, ...[...Map.groupBy(watches, ({ url }) => key(url)).values()].map(({ length }) => length))
}

const ofWatches =
  (interference: Interference): HttpProxy['interfere'] =>
  (method, url) =>
    isWatch(method, url) ? interference : undefined
