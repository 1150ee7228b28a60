/** Of an even number the mean of the middle two. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const [upper = Number.NaN, lower = Number.NaN] = [sorted[sorted.length >> 1], sorted[(sorted.length - 1) >> 1]]
  return (upper + lower) / 2
}

export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
