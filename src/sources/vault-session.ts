/** As whom Vault is asked: with a token of a Secret, or one that the Kubernetes auth method gives for this once. */
import { readToken } from './identity.ts'
import { textOf, unusable } from './issuer.ts'
import type { SourceContext, SpecOf } from './source.ts'
import { SourceProblem } from './source-problem.ts'
import { type AskVault, hostOf, objectOf, vaultAt } from './vault-server.ts'

export interface VaultSession {
  ask: AskVault
  /** What to look at when a right is lacking. @param right such as `read secret/app` */
  check(right: string): string
  /** When the token ends, and with it every lease that it got; undefined: never. */
  tokenEnd(): Promise<Date | undefined>
  /** Ends a token that was had for this once, and its leases. */
  end(): Promise<void>
}

type Spec = SpecOf<'vault'>

/** @throws SourceProblem */
export async function openSession(spec: Spec, context: SourceContext, signal: AbortSignal): Promise<VaultSession> {
  if (spec.secretRef) return await withSecret(spec, spec.secretRef.name, context, signal)
  if (spec.kubernetes) return await withServiceAccount(spec, spec.kubernetes, context, signal)
  throw new SourceProblem('SourceInvalid', 'source.vault has neither secretRef nor kubernetes; add one of them.')
}

async function withSecret(spec: Spec, name: string, context: SourceContext, signal: AbortSignal) {
  const token = await readToken(context, name)
  const check = (right: string) => `that the token of Secret ${name} has not ended and may ${right}`
  const ask = vaultAt(spec, context, signal, token)
  const tokenEnd = async () => {
    const asked = Date.now()
    const path = 'auth/token/lookup-self'
    const answer = await ask({ method: 'GET', path, check: check(`read ${path}, as the policy default lets it`) })
    return endAfter(asked, objectOf(answer, 'data', hostOf(spec)).ttl, 'data.ttl', spec)
  }
  return { ask, check, tokenEnd, end: async () => undefined }
}

async function withServiceAccount(
  spec: Spec,
  { role, serviceAccountName, mount, audience }: NonNullable<Spec['kubernetes']>,
  context: SourceContext,
  signal: AbortSignal,
) {
  const { token: jwt } = await context.requestToken(serviceAccountName, audience)
  const asked = Date.now()
  const logIn = vaultAt(spec, context, signal)
  const answer = await logIn({
    method: 'POST',
    path: `auth/${mount}/login`,
    body: { role, jwt },
    check: `that auth/${mount} is a Kubernetes auth method with the role ${role}, bound to ServiceAccount ${serviceAccountName} of the operator's namespace and the audience ${audience}`,
  })
  const auth = objectOf(answer, 'auth', hostOf(spec))
  const token = textOf(auth, 'client_token', hostOf(spec))
  context.conceal(token)
  const ask = vaultAt(spec, context, signal, token)
  const end = async () => {
    // Where this fails, as for a batch token, the token ends by itself: what was read with it is good all the same.
    if (!signal.aborted) await ask({ method: 'POST', path: 'auth/token/revoke-self' }).catch(() => undefined)
  }
  return {
    ask,
    check: (right: string) => `that the role ${role} may ${right}`,
    tokenEnd: async () => endAfter(asked, auth.lease_duration, 'auth.lease_duration', spec),
    end,
  }
}

/** @param seconds of an answer; 0 is for ever */
function endAfter(asked: number, seconds: unknown, name: string, spec: Spec): Date | undefined {
  if (typeof seconds !== 'number') throw unusable(hostOf(spec), `has no ${name}`)
  return seconds === 0 ? undefined : new Date(asked + seconds * 1_000)
}
