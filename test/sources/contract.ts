/**
 * What every source must keep to, whatever its issuer does. A source takes part by a `SourceCase` in a file of its own
 * (`<source>.case.ts`), which `contract.test.ts` lists.
 */
import type { Entries } from '../../src/model/docker-config.ts'
import type { SourceKind, SourceSettings, SpecOf } from '../../src/sources/source.ts'
import type { Handler } from './issuer-server.ts'

/** What the issuer is to give out next. */
export interface Wish {
  /** What makes this login differ from others: to be in the password, or to be signed into it. */
  secret: string
  expiresAt: Date
}

export interface SourceCase<Kind extends SourceKind = SourceKind> {
  kind: Kind
  /** Answers as the issuer does when all is well. `wish()` is what it is to give out now. */
  issuer(wish: () => Wish): Handler
  /** `spec.source.<kind>` for an issuer at this URL. */
  spec(url: string): SpecOf<Kind>
  /** Secrets of the operator's namespace that the spec names: name → key → text. */
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** ServiceAccounts of the operator's namespace that the spec names. */
  serviceAccounts?: readonly string[]
  registries?: readonly string[]
  /** What of the installation's settings it needs. */
  settings?: Partial<SourceSettings>
  /** Where the source speaks to https alone, also on loopback. */
  tls?: true
  /** Environment variables by which the SDK finds the issuer. */
  env?(url: string): Readonly<Record<string, string>>
  /** What must come of the wish, from an issuer at this URL. Asked after it has been given. */
  expected(wish: Wish, url: string): Entries
  /** Whether the issuer says when a login ends. */
  tellsExpiry: boolean
  /** The issuer cannot do this, or the source cannot notice: what it does, as in `misbehaviours.ts` → the reason. */
  exempt?: Readonly<Record<string, string>>
}
