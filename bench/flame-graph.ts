/** A tree of frames as an SVG whose widths are values: who calls is above whom it calls. */
import { type Frame, type Origin, origins, totalOf } from './frames.ts'

const [width, rowHeight, top] = [1200, 17, 60]
/** Narrower ones are left out, with all below them. */
const narrowest = 1.5
const letterWidth = 6.6

/** Dark letters can be read on each, on a light and on a dark page. */
const colours: Record<Origin, string> = {
  operator: '#f2a65a',
  undici: '#7fb7e6',
  'other packages': '#b9a5e2',
  Node: '#8fce9b',
  'V8 and native': '#c4c4c4',
}

const style = `
  svg { font: 11px monospace; background: #fff; --text: #222 }
  @media (prefers-color-scheme: dark) { svg { background: #0d1117; --text: #ddd } }
  text { fill: #111 }
  .about { fill: var(--text); font: 13px sans-serif }
`

/** @param unit the value as people read it, such as "12 KiB" */
export function flameGraphOf(title: string, root: Frame, unit: (value: number) => string): string {
  const all = totalOf(root)
  const scale = width / all
  const boxes: string[] = []
  let depth = 0

  const draw = (frame: Frame, total: number, left: number, row: number): void => {
    const wide = total * scale
    if (wide < narrowest) return
    depth = Math.max(depth, row + 1)
    const [x, y] = [(left * scale).toFixed(1), top + row * rowHeight]
    const note = `${frame.name}: ${((total / all) * 100).toFixed(1)} %, ${unit(total)}`
    const label = frame.name.slice(0, Math.max(0, Math.floor((wide - 4) / letterWidth)))
    const text = label.length < 3 ? '' : `<text x="${x}" dx="2" y="${y + 12}">${escaped(label)}</text>`
    const size = `width="${(wide - 0.5).toFixed(1)}" height="${rowHeight - 1}"`
    boxes.push(
      `<g><title>${escaped(note)}</title><rect x="${x}" y="${y}" ${size} fill="${colours[frame.origin]}"/>${text}</g>`,
    )
    let next = left
    const widestFirst = frame.children.map((child) => ({ child, total: totalOf(child) }))
    widestFirst.sort((a, b) => b.total - a.total)
    for (const { child, total } of widestFirst) {
      draw(child, total, next, row + 1)
      next += total
    }
  }

  draw(root, all, 0, 0)
  const legend = origins.map((origin, index) => {
    const left = 8 + index * 150
    const key = `<rect x="${left}" y="34" width="14" height="14" fill="${colours[origin]}"/>`
    return `${key}<text class="about" x="${left + 20}" y="46">${origin}</text>`
  })
  const height = top + depth * rowHeight + 8
  const about = escaped(`${title}: ${unit(all)}`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<style>${style}</style>
<text class="about" x="8" y="20">${about}</text>
${[...legend, ...boxes].join('\n')}
</svg>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
