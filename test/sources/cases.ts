/** The cases of all sources: who adds a source adds its line. */
import { acrAssertionCase, acrSecretCase } from './acr.case.ts'
import type { SourceCase } from './contract.ts'
import { ecrCase } from './ecr.case.ts'
import { ecrPublicCase } from './ecr-public.case.ts'
import { execCase } from './exec.case.ts'
import { garFederationCase, garKeyCase } from './gar.case.ts'
import { githubCase } from './github.case.ts'
import { gitlabCase } from './gitlab.case.ts'
import { harborCase } from './harbor.case.ts'
import { quayCase } from './quay.case.ts'
import { tokenExchangeCase } from './token-exchange.case.ts'
import { vaultCase } from './vault.case.ts'

export const cases: readonly SourceCase[] = [
  acrAssertionCase,
  acrSecretCase,
  ecrPublicCase,
  ecrCase,
  execCase,
  garFederationCase,
  garKeyCase,
  githubCase,
  gitlabCase,
  harborCase,
  quayCase,
  tokenExchangeCase,
  vaultCase,
]
