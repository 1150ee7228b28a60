/** A few in `npm test`, many in `npm run test:faults`. */
export interface Scale {
  quick: number
  long: number
}

export const isLong = process.env.FAULTS === 'long'

export function scaled(scale: Scale): number {
  return isLong ? scale.long : scale.quick
}
