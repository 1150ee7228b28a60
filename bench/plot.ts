/** Seconds over namespaces, as an SVG that can be read on a light and on a dark page. */
import type { Phase, Throughput } from './throughput.ts'

const [width, height] = [720, 420]
const plot = { left: 60, right: width - 30, top: 56, bottom: height - 50 }

const lines: { who: 'operator' | 'bare'; phase: Phase; label: string }[] = [
  { who: 'operator', phase: 'fan-out', label: 'fan-out, operator' },
  { who: 'bare', phase: 'fan-out', label: 'fan-out, bare loop' },
  { who: 'operator', phase: 'rotation', label: 'rotation, operator' },
  { who: 'bare', phase: 'rotation', label: 'rotation, bare loop' },
]

const style = `
  svg { font: 13px sans-serif; background: #fff; --text: #222; --grid: #ddd; --fan-out: #0072b2; --rotation: #b34e00 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; --text: #ddd; --grid: #333; --fan-out: #56b4e9; --rotation: #e69f00 }
  }
  text { fill: var(--text) }
  .grid { stroke: var(--grid) }
  .fan-out { color: var(--fan-out) }
  .rotation { color: var(--rotation) }
  circle { fill: currentColor }
  polyline, .key { stroke: currentColor; stroke-width: 2; fill: none }
  .bare { stroke-dasharray: 6 4 }
`

export function plotOf(throughput: readonly Throughput[]): string {
  const most = Math.max(...throughput.flatMap((each) => lines.map(({ who, phase }) => each[who][phase].seconds)))
  const step = stepOf(most)
  const top = Math.ceil(most / step) * step
  const widest = Math.max(...throughput.map(({ namespaces }) => namespaces))
  const x = (namespaces: number) => Math.round(plot.left + (namespaces / widest) * (plot.right - plot.left))
  const y = (seconds: number) => Math.round(plot.bottom - (seconds / top) * (plot.bottom - plot.top))

  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => Number((index * step).toPrecision(3)))
  const across = ticks.map(
    (seconds) => `<path class="grid" d="M${plot.left} ${y(seconds)}H${plot.right}"/>
<text x="${plot.left - 8}" y="${y(seconds) + 4}" text-anchor="end">${seconds}</text>`,
  )
  const along = [0, ...throughput.map(({ namespaces }) => namespaces)].map(
    (namespaces) =>
      `<text x="${x(namespaces)}" y="${plot.bottom + 20}" text-anchor="middle">${namespaces.toLocaleString('en')}</text>`,
  )
  const curves = lines.map(({ who, phase }) => {
    const points = throughput.map((each) => [x(each.namespaces), y(each[who][phase].seconds)] as const)
    const dots = points.map(([cx, cy]) => `<circle class="${phase}" cx="${cx}" cy="${cy}" r="3"/>`)
    const path = points.map((point) => point.join(',')).join(' ')
    return `<polyline class="${phase} ${who}" points="${path}"/>${dots.join('')}`
  })
  const legend = lines.map(({ who, phase, label }, index) => {
    const left = plot.left + index * 165
    return `<path class="${phase} ${who} key" d="M${left} 24h24"/><text x="${left + 30}" y="28">${label}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Seconds for the fan-out and the rotation of one login, over the number of namespaces</title>
<style>${style}</style>
${[...across, ...along, ...curves, ...legend].join('\n')}
<text x="${(plot.left + plot.right) / 2}" y="${height - 10}" text-anchor="middle">namespaces</text>
<text transform="translate(16 ${(plot.top + plot.bottom) / 2}) rotate(-90)" text-anchor="middle">seconds</text>
</svg>
`
}

/** Between four and ten lines: 1, 2 or 5, times a power of ten. */
function stepOf(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4))
  return [5, 2, 1].map((factor) => factor * power).find((step) => most / step >= 4) ?? power
}
