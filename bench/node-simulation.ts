/**
 * What a rotation of pull Secrets has kubelets ask the registries: `npm run bench:nodes`, and the same again with `SEED=` of
 * its output. A simulation, no measurement: containers start on simulated nodes, and pulled-images.ts says what is asked.
 *
 * 1,000 nodes live for a week, through one rotation after another, of which the last are counted. Then comes one more, and
 * all containers that run start again on their nodes, within ten minutes. How many start, and where, is made up.
 */
import { Random, seed } from '../test/support/random.ts'
import { type NodeImage, type Policy, type PullSecret, startContainer } from './pulled-images.ts'

const nodes = 1_000
const namespaces = 1_000
/** Nodes on which the containers of a namespace start. Of namespaces there are as many, so that many of them use each node. */
const spreads = [50, 200]
/** Images that all namespaces use, such as sidecars; the first of them is on the nodes from the beginning. */
const sharedImages = 4
const preloadedImages = 1
/** Images that a namespace uses alone. Every second start is of one of these. */
const ownImages = 3
const startsPerHour = 10 * nodes
/** A login that lives for twelve hours (ECR) is renewed at 40 to 50 % of that: src/model/refresh.ts. */
const rotationHours = 5.4
const rotations = 31
const countedRotations = 10
const running = 30 * nodes
const restartSeconds = 600

interface ContainerStart {
  /** Since the beginning. */
  hour: number
  namespace: number
  /** Which image on which node. */
  place: number
  isPreloaded: boolean
}

interface Way {
  logins: 'one for all' | 'one each'
  rotation: 'none' | 'in place' | 'delete and create'
}

const ways = (['one for all', 'one each'] as const).flatMap((logins) =>
  (['none', 'in place', 'delete and create'] as const).map((rotation): Way => ({ logins, rotation })),
)

console.log(`SEED=${seed}: ${rounded(startsPerHour * rotationHours)} starts from one rotation to the next`)
console.log(`${rounded(running)} in the ${restartSeconds} s after the last\n`)
row('on a node', 'logins', 'rotation', 'checks', 'per minute', 'half by', 'AlwaysVerify', 'restart', 'per second')
row(...Array<string>(9).fill('---'))
for (const spread of spreads) {
  const starts = startsOn(spread)
  for (const way of ways) {
    const { checks, perMinute, halfMinutes, restart, perSecond } = simulate(starts, way, 'NeverVerifyPreloadedImages')
    const strict = simulate(starts, way, 'AlwaysVerify')
    const counts = [checks, perMinute, halfMinutes, strict.checks, restart, perSecond].map(rounded)
    row(String(spread), way.logins, way.rotation, ...counts)
  }
}

/** @param spread nodes of a namespace */
function startsOn(spread: number): ContainerStart[] {
  const random = Random.of(`starts on ${spread}`)
  const homes = Array.from({ length: namespaces }, () => Array.from({ length: spread }, () => random.below(nodes)))
  return Array.from({ length: startsPerHour * rotationHours * rotations }, (_, index) => {
    const namespace = random.below(namespaces)
    const node = homes[namespace]?.[random.below(spread)] ?? 0
    const own = sharedImages + namespace * ownImages + random.below(ownImages)
    const image = random.once(2) ? own : random.below(sharedImages)
    const place = node * (sharedImages + namespaces * ownImages) + image
    return { hour: index / startsPerHour, namespace, place, isPreloaded: image < preloadedImages }
  })
}

/** Averages of the counted rotations, the most in a minute, the minutes until half was asked; and of the restart. */
function simulate(starts: readonly ContainerStart[], way: Way, policy: Policy) {
  const images = new Map<number, NodeImage>()
  const isChecked = ({ namespace, place, isPreloaded }: ContainerStart, rotation: number): boolean => {
    const image = images.get(place) ?? { present: isPreloaded, record: undefined }
    images.set(place, image)
    return startContainer(image, secretOf(namespace, rotation, way), policy) === 'checked'
  }

  const minutes = new Array<number>(rotationHours * 60).fill(0)
  for (const start of starts) {
    const rotation = Math.floor(start.hour / rotationHours)
    const minute = Math.floor((start.hour % rotationHours) * 60)
    const isCounted = rotation >= rotations - countedRotations
    if (isChecked(start, rotation) && isCounted) minutes[minute] = (minutes[minute] ?? 0) + 1 / countedRotations
  }
  const checks = sum(minutes)

  const random = Random.of('restart')
  const restarts = starts.slice(-running).map((start) => ({ start, second: random.below(restartSeconds) }))
  const seconds = new Array<number>(restartSeconds).fill(0)
  for (const { start, second } of restarts.sort((a, b) => a.second - b.second)) {
    if (isChecked(start, rotations)) seconds[second] = (seconds[second] ?? 0) + 1
  }
  return {
    checks,
    perMinute: Math.max(...minutes),
    halfMinutes: minutes.findIndex((_, minute) => sum(minutes.slice(0, minute + 1)) >= checks / 2),
    restart: sum(seconds),
    perSecond: Math.max(...seconds),
  }
}

/** That of a namespace after so many rotations. */
function secretOf(namespace: number, rotation: number, way: Way): PullSecret {
  const login = way.rotation === 'none' ? 0 : rotation
  const uid = way.rotation === 'delete and create' ? rotation : 0
  const hash = way.logins === 'one for all' ? `${login}` : `${login} of ${namespace}`
  return { coordinates: `${namespace}/${uid}`, hash }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function rounded(number: number): string {
  return Math.round(number).toLocaleString('en')
}

function row(...cells: string[]): void {
  console.log(`| ${cells.join(' | ')} |`)
}
