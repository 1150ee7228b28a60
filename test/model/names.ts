/** Names as Kubernetes takes them for Secrets and credentials (RFC 1123 subdomains), of all lengths from 1 to 253. */
import fc from 'fast-check'

const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-', '.'),
  minLength: 1,
  maxLength: 253,
  size: 'max',
})

export const kubeName: fc.Arbitrary<string> = fc
  .oneof(
    text,
    text.map((some) => some.slice(0, 3)),
    text.map((some) => some.padEnd(253, 'x')),
  )
  .map((some) => some.replaceAll(/^[-.]|[-.]$|[-.](?=\.)|(?<=\.)-/g, 'x'))
