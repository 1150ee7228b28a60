/**
 * Keeps writes within the term of leadership. A reconcile makes several, one after the other, and must not go on when
 * somebody else may work on the same objects.
 */
import type { KubeClient } from './client.ts'
import { NotLeadingError, type Term } from './term.ts'

/**
 * A client whose writes begin only within the term, or throw NotLeadingError. Those under way end when the process is told
 * to stop; when the lease is lost they are cut, as they may take longer than it takes another one to get it. Reads pass.
 */
export function fenced(client: KubeClient, term: Term): KubeClient {
  return client.fenced(() => {
    assertLeading(term)
    return term.lost
  })
}

/** @throws NotLeadingError when no write may begin any more */
export function assertLeading(term: Term): void {
  term.check()
  if (term.leading.aborted) throw new NotLeadingError()
}
