/** The results as Markdown: each bar of the project beside the figure, and whether it is met. */
import type { Crowd } from './crowd.ts'
import type { Growth, Point } from './growth.ts'
import type { Idle } from './idle.ts'
import { count, digits, listOf, percent, table, yes } from './markdown.ts'
import type { Fairness, Latency, Service } from './service.ts'
import { median } from './statistics.ts'
import { type Memory, type Phase, phases, type Requests, type Throughput } from './throughput.ts'

/** What is not there was not measured. */
export interface Results {
  about: About
  throughput: Throughput[]
  service?: Service
  idle?: Idle
  growth?: Growth
  fairness?: Fairness
  crowd?: Crowd
}

export interface About {
  date: string
  command: string
  /** That all of it took. */
  duration: string
  operator: string
  node: string
  kubernetes: string
  etcd: string
  cores: number
  processor: string
  memoryGiB: number
}

const bars = {
  /** Operator's seconds / the bare loop's. */
  ratio: 1.15,
  /** The ratio with most namespaces / that with fewest; how much faster a cost may grow than what it is of. */
  linear: 1.1,
  /** Other writes / writes of Secrets and ServiceAccounts. */
  beside: 0.01,
  servedMs: { p50: 15, p99: 100 },
  /** By namespaces. */
  memoryMiB: new Map([
    [1_000, 100],
    [5_000, 120],
    [10_000, 160],
  ]),
  /** With 1,000 namespaces. */
  readySeconds: 1.5,
  idleCpuPercent: 0.3,
  /** Of the p99, by a rotation. */
  delayMs: 200,
}

export function reportOf(results: Results, plot: string | undefined): string {
  const { about, throughput, service, idle, growth, fairness, crowd } = results
  const sections = [
    introduction(about),
    speed(throughput, plot),
    requests(throughput),
    service && newNamespaces(service),
    memory(throughput, crowd),
    idle && quiet(idle),
    growth && curves(growth),
    fairness && sharing(fairness),
    rounds(throughput),
  ]
  return `${sections.filter((section) => section !== undefined).join('\n\n')}\n`
}

function introduction(about: About): string {
  return `# What the operator costs

Written by \`${about.command}\` on ${about.date}; it took ${about.duration}. Operator ${about.operator}, Node ${about.node},
Kubernetes ${about.kubernetes}, etcd ${about.etcd}; ${about.cores} cores (${about.processor}) and ${about.memoryGiB} GiB of memory for the
operator, the bare loop, the control plane and the measuring. Requests are the same everywhere; seconds and ratios are those of this machine.

The bare loop (bench/bare-loop.ts) sends the same writes over as many connections and does nothing else; its seconds are its own. Those of
the operator begin before the change that it has to see and end with its last write, by the API server's audit log.

Where its CPU and its allocations go is drawn by \`npm run bench:profile\`: [CPU](cpu.svg), [allocations](allocations.svg).`
}

function speed(throughput: readonly Throughput[], plot: string | undefined): string {
  const head = [
    'namespaces',
    'phase',
    'bare loop, s',
    'operator, s',
    'ratio',
    'bar',
    'met',
    'bare loop, CPU s',
    'operator, CPU s',
  ]
  const rows = throughput.flatMap((each) =>
    phases.map((phase) => {
      const { bare, operator } = { bare: each.bare[phase], operator: each.operator[phase] }
      const ratio = ratioOf(each, phase)
      const bar = phase === 'removal' ? ['', ''] : [`≤ ${bars.ratio}`, yes(ratio <= bars.ratio)]
      const cpu = [digits(bare.cpuSeconds, 2), digits(operator.cpuSeconds, 2)]
      return [
        count(each.namespaces),
        phase,
        digits(bare.seconds, 2),
        digits(operator.seconds, 2),
        digits(ratio, 2),
        ...bar,
        ...cpu,
      ]
    }),
  )
  const [first, last] = [throughput[0], throughput.at(-1)]
  const growth = first !== last && first && last ? linearity(first, last) : []
  return [
    '## 1. Fan-out and rotation',
    'Medians of the rounds, which are at the end.',
    table(head, rows),
    ...growth,
    ...(plot ? [`![Seconds over namespaces](${plot})`] : []),
  ].join('\n\n')
}

function linearity(first: Throughput, last: Throughput): string[] {
  const rows = (['fan-out', 'rotation'] as const).map((phase) => {
    const growth = ratioOf(last, phase) / ratioOf(first, phase)
    return [phase, digits(growth, 2), `≤ ${bars.linear}`, yes(growth <= bars.linear)]
  })
  return [table(['phase', `ratio at ${count(last.namespaces)} / at ${count(first.namespaces)}`, 'bar', 'met'], rows)]
}

function requests(throughput: readonly Throughput[]): string {
  const head = [
    'namespaces',
    'phase',
    'about the namespaces',
    'one write for each, no read',
    'beside that',
    'share of writes',
    'below 1 %',
  ]
  const rows = throughput.flatMap(({ namespaces, rounds }) =>
    phases.map((phase) => {
      const all = rounds.map((round) => round.requests[phase])
      const shares = all.map(({ work, beside }) => writesIn(beside) / writesIn(work))
      const share = Math.max(...shares)
      const exact = all.every(({ work }) => isExact(work, phase, namespaces))
      const { work, beside } = all[0] ?? { work: {}, beside: {} }
      return [
        count(namespaces),
        phase,
        listOf(work),
        yes(exact),
        listOf(beside),
        percent(share),
        yes(share < bars.beside),
      ]
    }),
  )
  return `## 2. Requests

Those of the first round; the verdicts are about all rounds.

${table(head, rows)}`
}

/** A write for each Secret, and one for each ServiceAccount where its reference changes, and nothing else. */
function isExact(work: Requests['work'], phase: Phase, namespaces: number): boolean {
  const of = (resource: string) => Object.entries(work).filter(([kind]) => kind.endsWith(` ${resource}`))
  const sum = (kinds: [string, number][]) => kinds.reduce((total, [, each]) => total + each, 0)
  const serviceAccounts = phase === 'rotation' ? 0 : namespaces
  const written = sum(of('secrets')) === namespaces && sum(of('serviceaccounts')) === serviceAccounts
  return written && Object.keys(work).every(isWrite)
}

function writesIn(counts: Record<string, number>): number {
  return Object.entries(counts).reduce((sum, [kind, each]) => sum + (isWrite(kind) ? each : 0), 0)
}

function isWrite(kind: string): boolean {
  return !/^(get|list|dry-run) /.test(kind)
}

const latencyHead = ['milliseconds', 'p50', 'p99', 'max']

function latencyRow(what: string, { p50, p99, max }: Latency): string[] {
  return [what, count(p50), count(p99), count(max)]
}

function newNamespaces({ namespaces, created, served, awaited, own }: Service): string {
  const { p50, p99 } = bars.servedMs
  return `## 3. A new namespace

${count(created)} namespaces came to ${count(namespaces)}, 20 a second. A ServiceAccount can be patched only when the controller manager has made
it, so the wait for that is part of the first row; the last row is without it.

${table(
  [...latencyHead, 'bar', 'met'],
  [
    [
      ...latencyRow('from the answer to the creation until Secret and reference are written', served),
      `p50 < ${p50}, p99 < ${p99}`,
      yes(served.p50 < p50 && served.p99 < p99),
    ],
    [...latencyRow('of that, until the controller manager has made the ServiceAccount', awaited), '', ''],
    [...latencyRow('from the later of creation and ServiceAccount until both are written', own), '', ''],
  ],
)}`
}

function memory(throughput: readonly Throughput[], crowd: Crowd | undefined): string {
  const head = [
    'namespaces',
    'idle, MiB',
    'after fan-out and rotation, MiB',
    'at most, MiB',
    'bar',
    'met',
    'start to ready, s',
    'bar',
    'met',
  ]
  const rows = throughput.map(({ namespaces, memory }) => memoryRow(count(namespaces), namespaces, memory))
  if (crowd) {
    const { namespaces } = crowd
    rows.push(memoryRow(`${count(namespaces)}, before the others`, namespaces, crowd.without))
    rows.push(memoryRow(`${count(namespaces)}, among the others`, namespaces, crowd.with))
  }
  return `## 4. Memory and start

Resident memory with two ServiceAccounts in each namespace, the most of the rounds; the bar is for the most that it ever was.${crowd ? crowdNote(crowd) : ''}

${table(head, rows)}`
}

function crowdNote({ secrets, secretKiB, pods, etcdMiB }: Crowd): string {
  return `
The others are ${count(secrets)} Secrets of ${secretKiB} KiB and ${count(pods)} running pods, in a control plane of their own; etcd has ${count(etcdMiB)} MiB then.`
}

function memoryRow(
  label: string,
  namespaces: number,
  { idleMiB, residentMiB, peakMiB, readySeconds }: Memory,
): string[] {
  const bar = bars.memoryMiB.get(namespaces)
  const memoryBar = bar === undefined ? ['', ''] : [`≤ ${bar}`, yes(peakMiB <= bar)]
  const readyBar = namespaces === 1_000 ? [`< ${bars.readySeconds}`, yes(readySeconds < bars.readySeconds)] : ['', '']
  const figures = [idleMiB, residentMiB, peakMiB].map(count)
  return [label, ...figures, ...memoryBar, digits(readySeconds, 2), ...readyBar]
}

function quiet({ namespaces, seconds, requests, readsAndWrites, cpuPercent }: Idle): string {
  return `## 5. Idle

${seconds} seconds without any change, with ${count(namespaces)} namespaces.

${table(
  ['', 'figure', 'bar', 'met'],
  [
    ['requests', listOf(requests), 'the Lease alone', yes(readsAndWrites === 0)],
    ['CPU, % of a core', digits(cpuPercent, 2), `< ${bars.idleCpuPercent}`, yes(cpuPercent < bars.idleCpuPercent)],
  ],
)}`
}

function curves({ namespaces, credentials, changes, ofCredential, ofNamespace }: Growth): string {
  const concerned = 'one for each namespace concerned'
  const exact =
    ofCredential.every(({ selected, writes }) => writes === selected) && ofNamespace.every(({ writes }) => writes === 1)
  return `## 6. Many credentials

${credentials} credentials with overlapping selections over ${count(namespaces)} namespaces, all in one Secret of each. Medians of ${changes} changes. CPU is
what the operator used beyond what it uses idle in the same time.

The login of one credential changes:

${curve('namespaces that it selects', ofCredential)}

The Secret of one namespace is deleted:

${curve('credentials that select it', ofNamespace)}

${table(
  ['', 'figure', 'bar', 'met'],
  [
    ['writes', exact ? concerned : 'see above', concerned, yes(exact)],
    growthRow('namespaces', ofCredential),
    growthRow('credentials', ofNamespace),
  ],
)}`
}

function curve(what: string, points: readonly Point[]): string {
  const rows = points.map(({ selected, writes, milliseconds, cpuMilliseconds }) => {
    const cpu = [digits(cpuMilliseconds, 1), digits(cpuMilliseconds / selected, 2)]
    return [count(selected), count(writes), count(milliseconds), ...cpu]
  })
  return table([what, 'writes', 'until the last, ms', 'operator, CPU ms', 'for each of the first column'], rows)
}

/** Whether the cost grows no faster than what it is of. The first point is left out, as it is hardly more than the noise. */
function growthRow(what: string, [, first, ...rest]: readonly Point[]): string[] {
  const last = rest.at(-1)
  if (first === undefined || last === undefined) return [what, '', '', yes(false)]
  const cost = last.cpuMilliseconds / first.cpuMilliseconds
  const most = (last.selected / first.selected) * bars.linear
  const label = `CPU from ${count(first.selected)} to ${count(last.selected)} ${what}`
  const isMet = last.cpuMilliseconds <= most * first.cpuMilliseconds
  return [label, `${digits(cost, 1)}-fold`, `≤ ${digits(most, 1)}-fold`, yes(isMet)]
}

function sharing({ quiet, rotating, rotations }: Fairness): string {
  const delay = rotating.served.p99 - quiet.served.p99
  const rows = [
    latencyRow('quiet', quiet.served),
    latencyRow('while the login is rotated', rotating.served),
    latencyRow("quiet, the operator's own part", quiet.own),
    latencyRow("while the login is rotated, the operator's own part", rotating.own),
  ]
  return `## 7. Fairness

${count(quiet.created)} new namespaces, 20 a second, beside ${count(quiet.namespaces)}; once more while the login of these is rotated, and again as soon as all
have it: ${rotations.length} rotations of ${digits(median(rotations), 1)} s (median).

${table(latencyHead, rows)}

${table(
  ['', 'figure', 'bar', 'met'],
  [
    ['p99 later by, ms', count(delay), `≤ ${bars.delayMs}`, yes(delay <= bars.delayMs)],
    ['answers with 429 to the operator', count(quiet.throttled + rotating.throttled), '', ''],
  ],
)}`
}

function rounds(throughput: readonly Throughput[]): string {
  const head = ['namespaces', 'round', ...phases.flatMap((phase) => [`${phase}: bare loop, s`, 'operator, s'])]
  const rows = throughput.flatMap(({ namespaces, rounds }) =>
    rounds.map((round, index) => {
      const figures = phases.flatMap((phase) => [round.bare[phase].seconds, round.operator[phase].seconds])
      return [count(namespaces), count(index + 1), ...figures.map((figure) => digits(figure, 2))]
    }),
  )
  return `## The rounds

All that was measured is in [results.json](results.json).

${table(head, rows)}`
}

function ratioOf({ bare, operator }: Throughput, phase: Phase): number {
  return operator[phase].seconds / bare[phase].seconds
}
