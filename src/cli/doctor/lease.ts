/** When the leader's lease was renewed, by its holder's clock and by the API server's. */
import type { Lease } from './facts.ts'

export interface Renewal {
  /** The holder's clock, in milliseconds since 1970; NaN where the lease has none. */
  holder: number
  /** The API server's, to the second, cut off; NaN where managedFields do not tell. */
  server: number
}

/** The server's time stands in managedFields beside the field that is written with each renewal, and only then. */
export function renewalOf({ spec, metadata: { managedFields = [] } }: Lease): Renewal {
  const renewal = managedFields.find(({ fieldsV1 }) => {
    const written = fieldsV1?.['f:spec'] as Record<string, unknown> | undefined
    return written?.['f:renewTime'] !== undefined
  })
  return { holder: Date.parse(spec?.renewTime ?? ''), server: Date.parse(renewal?.time ?? '') }
}
