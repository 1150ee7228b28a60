/** Keeps `max` entries: the one that is put in last stands at the end, and the one at the front is forgotten for it. */
export function remember<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= max) return
  const [oldest = ''] = map.keys()
  map.delete(oldest)
}
