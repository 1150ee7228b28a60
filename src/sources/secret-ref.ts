/** `source.secretRef`: a Secret in the operator's own namespace, made by hand, by GitOps or by another operator. */
import { givenBy } from '../model/source-secret.ts'
import type { Source } from './source.ts'
import { SourceProblem } from './source-problem.ts'

export const secretRef: Source<'secretRef'> = {
  async issue({ name }, { readSecret }) {
    const secret = await readSecret(name)
    if (secret === undefined) {
      throw new SourceProblem(
        'SourceNotFound',
        `Secret ${name} does not exist in the operator's namespace; create it there.`,
      )
    }
    return { given: givenBy(secret), ...(secret.changedAt && { issuedAt: secret.changedAt }) }
  },
}
