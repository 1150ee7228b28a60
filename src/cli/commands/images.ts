/** `kubectl regcred images`: which images run, from where, covered by which credential, and whether they are trusted. */
import type { Command } from 'commander'
import { type Connection, withConnection } from '../connection.ts'
import { formatCsv } from '../csv.ts'
import { readCoverage, readTally, readTrustedNames } from '../images/read-images.ts'
import { type RunningImage, runningImages, uncovered } from '../images/running.ts'
import { outputFlag, print, rendered, tell } from '../output.ts'
import { type ExitCode, Problem } from '../problem.ts'
import { none, Table, unknown } from '../table.ts'

interface ImagesFlags {
  untrusted?: true
  output?: 'wide' | 'csv' | 'json' | 'yaml'
}

const help = `
BY is what names the image: its digest, a tag, or latest where that is the tag or there is none. CREDENTIALS have a login
for it in the namespaces where it runs; where <none> is among them, not in all of these. TRUSTED goes by the ConfigMap
trusted-registries in the operator's namespace. Images are those of pods that have not ended.

Exit codes: 0 done; with --untrusted 0 there is no such image, 1 there is, 2 it cannot be told.`

export function registerImages(program: Command): void {
  program
    .command('images')
    .description('list the images that run, by which credential they are covered, and if trusted; -n for one namespace')
    .option('--untrusted', 'only those from elsewhere than the trusted registries')
    .addOption(outputFlag(['wide', 'csv', 'json', 'yaml']))
    .addHelpText('after', help)
    .action((flags: ImagesFlags, command: Command) =>
      withConnection(command, (connection) => images(connection, flags)),
    )
}

async function images(connection: Connection, { untrusted, output }: ImagesFlags): Promise<ExitCode> {
  const { client, isNamespaceGiven } = connection
  const namespace = isNamespaceGiven ? connection.namespace : undefined
  const trusted = await readTrustedNames(connection)
  if (untrusted && trusted.value === undefined) throw new Problem(trusted.note)
  const [tally, coverage] = await Promise.all([readTally(client, namespace), readCoverage(client, namespace)])
  const all = runningImages(tally, { coverage: coverage.value, trusted: trusted.value })
  const shown = untrusted ? all.filter((image) => image.trusted === 'no') : all
  for (const { note } of [coverage, trusted]) if (note !== undefined) tell(`Note: ${note}`)
  if (output === 'json' || output === 'yaml') print(rendered({ kind: 'ImageList', items: shown }, output))
  else if (output === 'csv') print(formatCsv([csvHeaders, ...shown.map((image) => csvRow(image))]))
  else if (shown.length === 0) tell('No resources found')
  else print(tableOf(shown, output === 'wide'))
  return untrusted && shown.length > 0 ? 1 : 0
}

const headers = ['IMAGE', 'REGISTRY', 'BY', 'PODS', 'NAMESPACES', 'CREDENTIALS', 'TRUSTED']
const wideHeaders = ['DIGESTS', 'WHERE']
const csvHeaders = [
  'image',
  'registry',
  'by',
  'pods',
  'namespaces',
  'credentials',
  'trusted',
  'digests',
  'where',
  'uncovered',
]

function tableOf(images: readonly RunningImage[], isWide: boolean): string {
  const rows = images.map((image) => {
    const { registry, by, pods, namespaces, trusted, digests } = image
    const wide = isWide ? [firstOf(digests), firstOf(namespaces.map(({ name }) => name))] : []
    return [
      ...[plain(image.image), registry ?? none, by ?? none, String(pods), String(namespaces.length)],
      ...[credentialsOf(image), trusted === 'unknown' ? unknown : trusted],
      ...wide,
    ]
  })
  return new Table(isWide ? [...headers, ...wideHeaders] : headers).head(rows)
}

function credentialsOf(image: RunningImage): string {
  const { credentials } = image
  return credentials === undefined
    ? unknown
    : [...credentials, ...(uncovered(image).length > 0 ? [none] : [])].join(',')
}

/** As kubectl shortens lists. */
function firstOf(names: readonly string[]): string {
  const more = names.length - 3
  return more > 0 ? `${names.slice(0, 3).join(',')} + ${more} more...` : names.join(',')
}

/** What no name of an image can have does not reach a terminal: it could turn around or hide what stands beside it. */
function plain(image: string): string {
  return image.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Lists are separated by spaces. */
function csvRow(image: RunningImage): string[] {
  const { registry = '', by = '', pods, namespaces, credentials = [], trusted, digests } = image
  return [
    ...[plain(image.image), registry, by, String(pods), String(namespaces.length)],
    ...[credentials.join(' '), trusted, digests.join(' '), namespaces.map(({ name }) => name).join(' ')],
    uncovered(image).join(' '),
  ]
}
