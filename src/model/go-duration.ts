/** Durations as Go's `time.ParseDuration` reads them, which Kubernetes' types use: `6h0m0s`, `1.5h`, `-2m`, `0`. */

const milliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5
  μs: 1e-3, // U+03BC
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g
const whole = new RegExp(`^[-+]?(0|(${part.source})+)$`)

/** Go counts nanoseconds in 64 bits. */
const maxMilliseconds = 2 ** 63 / 1e6

/** @returns milliseconds; undefined when it is none, or beyond the 292 years that Go takes */
export function parseGoDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined
  let sum = 0
  for (const [, number, unit = ''] of text.matchAll(part)) sum += Number(number) * (milliseconds[unit] ?? 0)
  if (sum > maxMilliseconds) return undefined
  return text.startsWith('-') ? -sum : sum
}
