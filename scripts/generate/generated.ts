/** What a generator gives; a file of scripts/generate.ts' list. */
export interface Generated {
  /** Path from the root of the repository. */
  file: string
  /** What it is made from, for whoever has to generate anew. */
  from: string
  text: string
}
