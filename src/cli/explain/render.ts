/** An explanation for people. */

import { escapeControls } from '../../telemetry/text-line.ts'
import { type Colour, coloured } from '../output.ts'
import { none, Table, unknown } from '../table.ts'
import type { Explanation, ImageExplanation } from './explain.ts'
import type { Answer, TriedLogin } from './told.ts'

const answers: Readonly<Record<Answer, readonly [string, Colour]>> = {
  yes: ['will be pulled, as far as can be told', 'green'],
  no: ['will not be pulled', 'red'],
  unknown: ['cannot be told', 'yellow'],
}

export function renderExplanation(explanation: Explanation): string {
  const { subject, namespace, serviceAccount, pullSecrets, images, stuckPods, notes } = explanation
  const list = pullSecrets === undefined ? unknown : pullSecrets.join(', ') || none
  const lines = [
    `${subject} in namespace ${namespace}, ServiceAccount ${serviceAccount}`,
    escapeControls(`imagePullSecrets that count: ${list}`),
    ...images.flatMap(ofImage),
    ...(stuckPods.length > 0
      ? ['', coloured('Pods of it that cannot pull now, whatever a new one would do:', 'red')]
      : []),
    ...stuckPods.map((name) => `  kubectl regcred explain pod/${name} -n ${namespace}`),
    ...(notes.length > 0 ? ['', ...notes.map((note) => coloured(escapeControls(`Note: ${note}`), 'yellow'))] : []),
  ]
  return `${lines.join('\n')}\n`
}

function ofImage({ user, image, pulls, because, tried, cures }: ImageExplanation): string[] {
  const [words, colour] = answers[pulls]
  return [
    '',
    `${escapeControls(user === 'image' ? `Image ${image}` : `${capital(user)}: ${image}`)}: ${coloured(words, colour)}`,
    ...because.map((sentence) => escapeControls(`  ${sentence}`)),
    ...(tried.length > 0 ? ['  The kubelet tries, in this order:', ...tableOf(tried)] : []),
    ...(cures.length > 0 ? ['  What to do:', ...cures.map((cure) => escapeControls(`    ${cure}`))] : []),
  ]
}

function tableOf(tried: readonly TriedLogin[]): string[] {
  const rows = tried.map(({ key, secret, credential, foreign, assumed, validity }) => [
    key,
    secret,
    credential ?? (foreign ? none : unknown),
    `${validity.words}${assumed ? ' (by the status)' : ''}`,
  ])
  const text = new Table(['REGISTRY', 'SECRET', 'CREDENTIAL', 'LOGIN']).head(rows)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
