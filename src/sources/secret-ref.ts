/** `source.secretRef`: a Secret in the operator's own namespace, made by hand, by GitOps or by another operator. */
import { entriesOf, SourceProblem } from '../model/source-secret.ts'
import type { Issued, SourceContext } from './source.ts'

export async function secretRef(
  { name }: { name: string },
  registries: readonly string[] | undefined,
  { readSecret }: SourceContext,
): Promise<Issued> {
  const secret = await readSecret(name)
  if (secret === undefined) {
    throw new SourceProblem(
      'SourceNotFound',
      `Secret ${name} does not exist in the operator's namespace; create it there.`,
    )
  }
  try {
    return { entries: entriesOf(secret, registries), ...(secret.changedAt && { issuedAt: secret.changedAt }) }
  } catch (problem) {
    if (!(problem instanceof SourceProblem)) throw problem
    throw new SourceProblem(problem.reason, `Secret ${name} cannot be used: ${problem.message}.`)
  }
}
