/** What a source proves itself with: values of a Secret of the operator's namespace. */
import { GivenProblem } from '../model/given.ts'
import { read } from '../model/source-secret.ts'
import type { SourceContext } from './source.ts'
import { SourceProblem } from './source-problem.ts'

/**
 * The texts under the given keys, and of the optional ones those that are there. All are concealed.
 * @throws SourceProblem that names the Secret and the key
 */
export async function readKeys<Needed extends string, Optional extends string = never>(
  context: Pick<SourceContext, 'readSecret' | 'conceal'>,
  name: string,
  needed: readonly Needed[],
  optional: readonly Optional[] = [],
): Promise<Record<Needed, string> & Partial<Record<Optional, string>>> {
  const secret = await context.readSecret(name)
  if (secret === undefined) {
    throw new SourceProblem('SourceNotFound', `Secret ${name} does not exist in the operator's namespace; create it.`)
  }
  const texts: Record<string, string> = {}
  for (const key of [...needed, ...optional]) {
    const text = textUnder(secret, name, key)
    if (text !== undefined) texts[key] = text
  }
  for (const key of needed) {
    if (!texts[key]) throw new SourceProblem('SourceInvalid', `Secret ${name} has no key ${key}; add it.`)
  }
  context.conceal(...Object.values(texts))
  return texts as Record<Needed, string> & Partial<Record<Optional, string>>
}

/**
 * The token under `token`. It goes into a header, so it has no white space in it and is ASCII.
 * @throws SourceProblem that names the Secret
 */
export async function readToken(context: Pick<SourceContext, 'readSecret' | 'conceal'>, name: string): Promise<string> {
  const { token } = await readKeys(context, name, ['token'])
  if (/^[!-~]+$/.test(token)) return token
  throw new SourceProblem('SourceInvalid', `Secret ${name} has more than a token under token; put it there alone.`)
}

/** Without the line break that an editor or `echo` leaves at the end. */
function textUnder(secret: Parameters<typeof read>[0], name: string, key: string): string | undefined {
  try {
    return read(secret, key)?.replace(/\r?\n$/, '')
  } catch (problem) {
    if (!(problem instanceof GivenProblem)) throw problem
    throw new SourceProblem(problem.reason, `Secret ${name} cannot be used: ${problem.message}.`)
  }
}
