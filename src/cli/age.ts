/** Spans of time as kubectl prints them (`HumanDuration` of k8s.io/apimachinery): 90s, 3m5s, 47h, 5d3h. */

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

/** @param ms negative ones, by clocks that differ, count as 0 */
export function humanDuration(ms: number): string {
  if (ms < second) return '0s'
  if (ms < 2 * minute) return part(ms, second, 's')
  if (ms < 10 * minute) return part(ms, minute, 'm') + rest(ms, minute, second, 's')
  if (ms < 3 * hour) return part(ms, minute, 'm')
  if (ms < 8 * hour) return part(ms, hour, 'h') + rest(ms, hour, minute, 'm')
  if (ms < 2 * day) return part(ms, hour, 'h')
  if (ms < 8 * day) return part(ms, day, 'd') + rest(ms, day, hour, 'h')
  if (ms < 2 * year) return part(ms, day, 'd')
  if (ms < 8 * year) return part(ms, year, 'y') + rest(ms, year, day, 'd')
  return part(ms, year, 'y')
}

/** @param time RFC 3339; undefined where the object does not say */
export function ageOf(time: string | undefined, now: Date): string {
  return time === undefined ? '<unknown>' : humanDuration(now.getTime() - Date.parse(time))
}

function part(ms: number, unit: number, name: string): string {
  return `${Math.floor(ms / unit)}${name}`
}

/** What is left over, in the smaller unit; nothing where that is less than one. */
function rest(ms: number, of: number, unit: number, name: string): string {
  const left = Math.floor((ms % of) / unit)
  return left === 0 ? '' : `${left}${name}`
}
