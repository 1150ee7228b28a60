/**
 * DER (ITU-T X.690), as far as X.509 certificates need it: every value is a
 * tag, a length and a content.
 */

export function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  const significant = length.subarray(length.findIndex((byte) => byte !== 0))
  return Buffer.concat([Buffer.from([tag, 0x80 | significant.length]), significant, body])
}

export const TRUE: Buffer = der(0x01, Buffer.from([0xff]))

export const sequence = (...items: Uint8Array[]): Buffer => der(0x30, ...items)
export const integer = (bigEndian: Uint8Array): Buffer => der(0x02, bigEndian)
export const bitString = (unusedBits: number, content: Uint8Array): Buffer =>
  der(0x03, Buffer.from([unusedBits]), content)
export const octetString = (content: Uint8Array): Buffer => der(0x04, content)
export const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text))

/** `2026-11-23T10:20:30Z` → `261123102030Z` */
export const utcTime = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`))

/** An object identifier from its dotted form: base 128, the first two arcs in one byte. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap((arc) => {
    const groups = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift(0x80 | (left & 0x7f))
    return groups
  })
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]))
}
