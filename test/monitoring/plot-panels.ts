/** The panels of a dashboard as an SVG: plain lines where Grafana has more to offer, at the places that the dashboard gives them. */
import type { Series } from '../parts/prometheus.ts'
import type { Panel } from './dashboard.ts'

/** What its queries gave, each with the name that the legend shows. */
export interface Drawing {
  panel: Panel
  lines: { name: string; values: Series['values'] }[]
}

/** Pixels for a unit of Grafana's grid. */
const [unitX, unitY] = [46, 21]
const colours = 8

const style = `
  svg { font: 11px sans-serif; background: #fff; --text: #222; --faint: #ddd; --card: #f7f7f7 }
  @media (prefers-color-scheme: dark) { svg { background: #0d1117; --text: #ddd; --faint: #333; --card: #161b22 } }
  text { fill: var(--text) } .row { font-weight: bold } .stat { font-size: 28px } .faint { opacity: .6 }
  .card { fill: var(--card) } .grid { stroke: var(--faint) } polyline { fill: none; stroke-width: 1.5 }
  .c0 { color: #0072b2 } .c1 { color: #e69f00 } .c2 { color: #009e73 } .c3 { color: #cc79a7 }
  .c4 { color: #d55e00 } .c5 { color: #56b4e9 } .c6 { color: #888 } .c7 { color: #b8a500 }
  polyline, .key { stroke: currentColor }
`

/** @param start and end in seconds since the epoch */
export function plotPanels(drawings: readonly Drawing[], title: string, start: number, end: number): string {
  const height = Math.max(...drawings.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h)) * unitY
  const parts = drawings.map((drawing) => {
    const { x, y, w, h } = drawing.panel.gridPos
    const inside = drawing.panel.type === 'row' ? rowOf(drawing) : cardOf(drawing, w * unitX, h * unitY, start, end)
    return `<g transform="translate(${x * unitX} ${y * unitY})">${inside}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * unitX} ${height}" role="img">
<title>${escaped(title)}</title>
<style>${style}</style>
${parts.join('\n')}
</svg>
`
}

function rowOf({ panel: { title } }: Drawing): string {
  return `<text class="row" x="4" y="15">${escaped(title)}</text>`
}

function cardOf({ panel, lines }: Drawing, width: number, height: number, start: number, end: number): string {
  const card = `<rect class="card" x="2" y="2" width="${width - 4}" height="${height - 4}" rx="3"/>
<text x="8" y="16">${escaped(panel.title)}</text>`
  const unit = panel.fieldConfig?.defaults.unit ?? ''
  if (panel.type === 'stat') {
    const last = lines[0]?.values.at(-1)?.[1] ?? Number.NaN
    return `${card}<text class="stat" x="${width / 2}" y="${height - 24}" text-anchor="middle">${format(last, unit)}</text>`
  }
  const finite = lines.flatMap(({ values }) => values.map(([, value]) => value)).filter(Number.isFinite)
  const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite) || 1]
  const plot = { left: 52, right: width - 10, top: 26, bottom: height - 34 }
  const x = (time: number) => Math.round(plot.left + ((time - start) / (end - start)) * (plot.right - plot.left))
  const y = (value: number) => Math.round(plot.bottom - ((value - low) / (high - low)) * (plot.bottom - plot.top))
  const grid = [low, (low + high) / 2, high].map(
    (value) => `<path class="grid" d="M${plot.left} ${y(value)}H${plot.right}"/>
<text class="faint" x="${plot.left - 4}" y="${y(value) + 4}" text-anchor="end">${format(finite.length > 0 ? value : Number.NaN, unit)}</text>`,
  )
  const curves = lines.map(({ values }, index) => {
    const points = values.filter(([, value]) => Number.isFinite(value)).map(([time, value]) => `${x(time)},${y(value)}`)
    return `<polyline class="c${index % colours}" points="${points.join(' ')}"/>`
  })
  return [card, ...grid, ...curves, legendOf(lines, width, height)].join('\n')
}

/** As many names as there is room for. */
function legendOf(lines: Drawing['lines'], width: number, height: number): string {
  let left = 8
  const keys: string[] = []
  for (const [index, { name }] of lines.entries()) {
    const needed = 22 + name.length * 6.4
    const isLast = index === lines.length - 1
    if (left + needed + (isLast ? 0 : 50) > width) {
      keys.push(`<text class="faint" x="${left}" y="${height - 12}">+ ${lines.length - index}</text>`)
      break
    }
    const key = `<path class="key c${index % colours}" d="M${left} ${height - 16}h10"/>`
    keys.push(`${key}<text x="${left + 13}" y="${height - 12}">${escaped(name)}</text>`)
    left = Math.round(left + needed)
  }
  return keys.join('')
}

function format(value: number, unit: string): string {
  if (!Number.isFinite(value)) return ''
  const short = (number: number) => String(Number(number.toPrecision(2)))
  if (unit === 'bytes') return `${short(value / 2 ** 20)} MiB`
  if (unit === 's') return Math.abs(value) < 1 && value !== 0 ? `${short(value * 1_000)} ms` : `${short(value)} s`
  return unit === 'short' ? short(value) : `${short(value)}/s`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
