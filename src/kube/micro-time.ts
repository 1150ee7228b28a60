/** The format of `MicroTime` fields (Lease, Event): six fractional digits. The API server refuses the three of a Date. */

export function microTime(date: Date = new Date()): string {
  return date.toISOString().replace('Z', '000Z')
}
