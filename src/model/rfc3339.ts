/** A time as Kubernetes writes it: UTC, in full seconds (RFC 3339). */
export function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.\d+Z/, 'Z')
}
