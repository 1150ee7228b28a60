/** A plan for people, as a diff; and its sum. Of a Secret only keys are ever shown. */

import { escapeControls } from '../../telemetry/text-line.ts'
import { type Colour, coloured } from '../output.ts'
import type { EntryChange, NamespaceDiff, SecretAction } from './diff.ts'
import type { Plan } from './read-plan.ts'

export interface Summary {
  secrets: Record<SecretAction, number>
  references: { added: number; removed: number; released: number }
  /** Namespaces where something changes. */
  namespaces: number
  problems: number
}

export function summaryOf({ namespaces }: Plan): Summary {
  const secrets = { create: 0, update: 0, take: 0, delete: 0, release: 0 }
  const references = { added: 0, removed: 0, released: 0 }
  for (const each of namespaces) {
    for (const { action } of each.secrets) secrets[action]++
    for (const { added, removed, released } of each.serviceAccounts) {
      references.added += added.length
      references.removed += removed.length
      references.released += released.length
    }
  }
  const problems = namespaces.reduce((sum, each) => sum + each.problems.length, 0)
  return { secrets, references, namespaces: namespaces.filter(isChanged).length, problems }
}

/** Whether anything would be written because of it, be it the credential alone. */
export function changesAnything({ credentials, namespaces }: Plan): boolean {
  return namespaces.some(isChanged) || credentials.some(({ action }) => action !== 'unchanged')
}

function isChanged({ secrets, serviceAccounts }: NamespaceDiff): boolean {
  return secrets.length + serviceAccounts.length > 0
}

export function renderPlan(plan: Plan): string {
  const { credentials, namespaces, notes, pending } = plan
  const lines = [
    ...credentials.map(({ name, action }) => credentialLine(name, action)),
    ...groupsOf(namespaces).flatMap(([names, lines]) => ['', coloured(heading(names), 'bold'), ...lines]),
    '',
    sum(summaryOf(plan)),
    ...(pending > 0 ? [`Not counted: ${pending} writes that the operator has to do anyway, as things are now.`] : []),
    ...notes.map((note) => coloured(`Note: ${escapeControls(note)}`, 'yellow')),
  ]
  return `${lines.join('\n')}\n`
}

/** Namespaces that all change in the same way, and how. */
function groupsOf(namespaces: readonly NamespaceDiff[]): [names: string[], lines: string[]][] {
  const groups = new Map<string, [string[], string[]]>()
  for (const each of namespaces) {
    const lines = ofNamespace(each)
    const group = groups.get(lines.join('\n')) ?? [[], lines]
    groups.set(lines.join('\n'), group)
    group[0].push(each.namespace)
  }
  return [...groups.values()]
}

/** Names that a heading shows. */
const maxNamed = 20

function heading(names: readonly string[]): string {
  if (names.length === 1) return `Namespace ${names[0]}`
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more; -o json has all` : ''
  return `${names.length} namespaces (${names.slice(0, maxNamed).join(', ')}${more})`
}

const credentialLines = {
  create: ['+', 'green', 'is created'],
  configure: ['~', 'yellow', 'is changed'],
  unchanged: [' ', 'dim', 'stays as it is'],
  delete: ['-', 'red', 'is deleted'],
} as const

function credentialLine(name: string, action: keyof typeof credentialLines): string {
  const [sign, colour, words] = credentialLines[action]
  return coloured(`${sign} RegistryCredential ${name} ${words}`, colour)
}

const secretLines: Readonly<Record<SecretAction, readonly [string, Colour, string]>> = {
  create: ['+', 'green', 'is created'],
  update: ['~', 'yellow', 'is updated'],
  take: ['~', 'yellow', 'is taken over, and what is in it now goes'],
  delete: ['-', 'red', 'is deleted'],
  release: ['~', 'yellow', 'stays, and is not managed any more'],
}

function ofNamespace({ secrets, serviceAccounts, problems }: NamespaceDiff): string[] {
  return [
    ...secrets.flatMap(({ name, action, entries }) => {
      const [sign, colour, words] = secretLines[action]
      const what = action === 'update' && entries.length === 0 ? 'is updated (its marks)' : words
      return [coloured(`  ${sign} Secret ${name} ${what}`, colour), ...entries.map(entryLine)]
    }),
    ...serviceAccounts.flatMap(({ name, added, removed, released }) => [
      coloured(`  ~ ServiceAccount ${name}`, 'yellow'),
      ...added.map((secret) => coloured(`      + imagePullSecrets: ${secret}`, 'green')),
      ...removed.map((secret) => coloured(`      - imagePullSecrets: ${secret}`, 'red')),
      ...released.map((secret) => `        imagePullSecrets: ${secret} stays, and is not managed any more`),
    ]),
    ...problems.map(({ credential, reason, message }) =>
      coloured(escapeControls(`  ! ${credential}: ${reason}: ${message}`), 'red'),
    ),
  ]
}

function entryLine({ key, change, credential, previous }: EntryChange): string {
  switch (change) {
    case 'added':
      return coloured(`      + ${key} (${credential})`, 'green')
    case 'removed':
      return coloured(`      - ${key} (${credential})`, 'red')
    case 'changed':
      return coloured(`      ~ ${key} (${credential}, before ${previous})`, 'yellow')
    case 'mayChange':
      return coloured(`      ~ ${key} (${credential}; content may change)`, 'yellow')
  }
}

function sum({ secrets, references, namespaces, problems }: Summary): string {
  const parts = [
    counted(secrets.create, 'Secret', 'to create'),
    counted(secrets.update, 'Secret', 'to update'),
    counted(secrets.take, 'Secret', 'to take over'),
    counted(secrets.delete, 'Secret', 'to delete'),
    counted(secrets.release, 'Secret', 'to release'),
    counted(references.added, 'reference', 'to add'),
    counted(references.removed, 'reference', 'to remove'),
    counted(references.released, 'reference', 'to release'),
  ].filter((part) => part !== undefined)
  const changes = parts.length === 0 ? 'nothing to write' : parts.join(', ')
  const where = parts.length === 0 ? 'in any namespace' : `in ${namespaces} namespace${namespaces === 1 ? '' : 's'}`
  const inTheWay = counted(problems, 'problem', 'in the way')
  return `Plan: ${changes} ${where}${inTheWay ? `; ${inTheWay}` : ''}.`
}

function counted(number: number, noun: string, what: string): string | undefined {
  return number === 0 ? undefined : `${number} ${noun}${number === 1 ? '' : 's'} ${what}`
}
