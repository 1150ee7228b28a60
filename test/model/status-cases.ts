/** What the status says in each situation of a credential. */
import { type Findings, type Status, statusOf } from '../../src/model/status.ts'
import { credential } from './builders.ts'
import { findings, outcome } from './findings.ts'
import type { Verdict } from './kstatus.ts'

interface StatusCase {
  when: string
  found: Findings
  previous?: Status
  /** Status, reason and message of the condition. */
  ready: [string, string, string]
  /** Type and reason of the only other condition. */
  also?: [string, string]
  verdict: Verdict
}

export const earlier = '2026-01-01T00:00:00Z'
export const failure = { reason: 'NotOwned', message: 'Secret regcred is left alone.' }
export const two = { 'team-a': outcome(), 'team-b': outcome() }

/** A status in which all was well. */
const previous = statusOf(findings(two), undefined, earlier)
const missing = { reason: 'SourceNotFound', message: 'Secret dockerhub does not exist.', terminal: false }
const unavailable = { reason: 'IssuerUnavailable', message: 'vault.example.com cannot answer now (503).' }
const invalid = { reason: 'SourceInvalid', message: 'Secret dockerhub cannot be used.', terminal: true }
const paused = 'spec.suspend is true: what is in the namespaces stays as it is.'
const suspended = credential('a', { suspend: true })
const deleted = credential('a', {}, { deleting: true })
const oneBehind = { ...two, 'team-c': outcome({ version: 1 }) }

const atWork: StatusCase[] = [
  {
    when: 'all is up to date',
    found: findings(two),
    ready: ['True', 'Succeeded', 'Secret regcred is up to date in 2 namespaces.'],
    verdict: 'Current',
  },
  {
    when: 'one namespace is selected',
    found: findings({ 'team-a': outcome() }),
    ready: ['True', 'Succeeded', 'Secret regcred is up to date in 1 namespace.'],
    verdict: 'Current',
  },
  {
    when: 'no namespace is selected',
    found: findings({}),
    ready: ['True', 'Succeeded', 'No namespace is selected and none has opted in.'],
    verdict: 'Current',
  },
  {
    when: 'no login is known yet',
    found: findings({}, { isKnown: false }),
    ready: ['False', 'Issuing', 'The source is being asked for the first login.'],
    also: ['Reconciling', 'Issuing'],
    verdict: 'InProgress',
  },
  {
    when: 'another source was given, and its login is yet to come',
    found: findings(two, { credential: credential('a', {}, { generation: 2 }), isOutdated: true }),
    previous,
    ready: ['False', 'Issuing', 'The source is being asked for a new login; until then the one in use stays.'],
    also: ['Reconciling', 'Issuing'],
    verdict: 'InProgress',
  },
  {
    when: 'the source has changed, and the login of before was in place',
    found: findings(two, { isOutdated: true }),
    previous,
    ready: ['True', 'Succeeded', 'Secret regcred is up to date in 2 namespaces.'],
    verdict: 'Current',
  },
  {
    when: 'a login cannot be renewed, and the one in use is still good',
    found: findings(two, { refreshFailure: unavailable }),
    ready: ['True', 'Succeeded', 'Secret regcred is up to date in 2 namespaces.'],
    also: ['RefreshFailing', 'IssuerUnavailable'],
    verdict: 'Current',
  },
  {
    when: 'the registry refuses what is in use',
    found: findings(two, { check: { verdict: 'Invalid', reason: 'Refused', message: 'ghcr.io refuses the login.' } }),
    ready: ['True', 'Succeeded', 'Secret regcred is up to date in 2 namespaces.'],
    also: ['Verified', 'Refused'],
    verdict: 'Current',
  },
  {
    when: 'work has just begun',
    found: findings(oneBehind),
    ready: ['False', 'Progressing', '2 of 3 namespaces up to date.'],
    also: ['Reconciling', 'Progressing'],
    verdict: 'InProgress',
  },
  {
    when: 'the spec was changed and work goes on',
    found: findings(oneBehind, { credential: credential('a', {}, { generation: 2 }) }),
    previous,
    ready: ['False', 'Progressing', '2 of 3 namespaces up to date.'],
    also: ['Reconciling', 'Progressing'],
    verdict: 'InProgress',
  },
  {
    when: 'new credentials are on their way, and the old ones were in place',
    found: findings(oneBehind),
    previous,
    ready: ['True', 'Succeeded', 'Secret regcred is up to date in 2 namespaces.'],
    also: ['Reconciling', 'Progressing'],
    verdict: 'InProgress',
  },
  {
    when: 'it has still to leave a namespace',
    found: findings({ 'team-a': outcome(), 'team-b': outcome({ selected: false }) }),
    ready: ['False', 'Progressing', '1 of 1 namespace up to date.'],
    also: ['Reconciling', 'Progressing'],
    verdict: 'InProgress',
  },
]

const inTrouble: StatusCase[] = [
  {
    when: 'a namespace failed',
    found: findings({ 'team-b': outcome({ failure }), 'team-a': outcome() }),
    previous,
    ready: ['False', 'NamespacesFailed', '1 namespace failed of 2; first team-b: Secret regcred is left alone.'],
    also: ['Reconciling', 'ProgressingWithRetry'],
    verdict: 'InProgress',
  },
  {
    when: 'the source is not there',
    found: findings(two, { problem: missing }),
    previous,
    ready: ['False', 'SourceNotFound', missing.message],
    also: ['Reconciling', 'SourceNotFound'],
    verdict: 'InProgress',
  },
  {
    when: 'the source is wrong and a namespace failed',
    found: findings({ 'team-a': outcome({ failure }) }, { problem: invalid }),
    previous,
    ready: ['False', 'SourceInvalid', invalid.message],
    also: ['Stalled', 'SourceInvalid'],
    verdict: 'Failed',
  },
]

const onHold: StatusCase[] = [
  {
    when: 'it is suspended',
    found: findings(two, { credential: suspended }),
    previous,
    ready: ['True', 'Suspended', paused],
    verdict: 'Current',
  },
  {
    when: 'it was suspended from the start',
    found: findings({}, { credential: suspended }),
    ready: ['Unknown', 'Suspended', paused],
    verdict: 'InProgress',
  },
  {
    when: 'it is suspended with a wrong source',
    found: findings(two, { credential: suspended, problem: invalid }),
    previous,
    ready: ['True', 'Suspended', paused],
    verdict: 'Current',
  },
  {
    when: 'it is deleted',
    found: findings({ 'team-a': outcome({ selected: false }) }, { credential: deleted }),
    previous,
    ready: ['False', 'Terminating', 'Being deleted; still to be taken out of 1 namespace.'],
    also: ['Reconciling', 'Terminating'],
    verdict: 'Terminating',
  },
  {
    when: 'it is deleted while suspended, with a wrong source',
    found: findings({}, { credential: { ...suspended, deleting: true }, problem: invalid }),
    previous,
    ready: [
      'False',
      'Terminating',
      'Being deleted; taken out of all namespaces. What is still to be done is at its issuer, or up to the finalizers of others.',
    ],
    also: ['Reconciling', 'Terminating'],
    verdict: 'Terminating',
  },
]

export const statusCases: StatusCase[] = [...atWork, ...inTrouble, ...onHold]
