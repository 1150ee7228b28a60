/** What stands in cases where a secret would stand, and finding it, whole or in part, in what people get to read. */

/** Base64, base64url and URLs write some of its characters in other ways. */
export const canary = 'K7+v/Qz=3m?W&x%9~T>pL5dN'

/** JSON.parse quotes some ten characters on either side of what it does not like. */
const partLength = 7

const spellings = new Map<string, string>()
for (const part of partsOf(encodeURIComponent(canary))) spellings.set(part, 'URL-encoded')
for (const base64 of [0, 1, 2].map(base64Behind)) {
  for (const part of partsOf(base64.replaceAll('+', '-').replaceAll('/', '_'))) spellings.set(part, 'in base64url')
  for (const part of partsOf(base64)) spellings.set(part, 'in base64')
}
for (const part of partsOf(canary)) spellings.set(part, 'in clear')

/** How a text gives the canary, or a part of it, away; undefined when it does not. */
export function leakIn(text: string): string | undefined {
  for (const part of partsOf(text)) {
    const spelling = spellings.get(part)
    if (spelling !== undefined) return spelling
  }
  return undefined
}

/** Of its base64 what is the same whatever else is encoded with it, when `offset` bytes stand before it. */
function base64Behind(offset: number): string {
  const base64 = Buffer.from(' '.repeat(offset) + canary).toString('base64')
  return base64.slice(offset === 0 ? 0 : 4, Math.floor((offset + canary.length) / 3) * 4)
}

function* partsOf(text: string): Generator<string> {
  for (let at = 0; at + partLength <= text.length; at++) yield text.slice(at, at + partLength)
}
