/** `kubectl regcred refresh`: has the operator ask the source anew. */
import { Argument, type Command, Option } from 'commander'
import { group, plural, refreshAnnotation } from '../../api/names.ts'
import type { RegistryCredential } from '../../api/registry-credential.ts'
import type { KubeClient } from '../../kube/client.ts'
import { escapeControls } from '../../telemetry/text-line.ts'
import { completedBy, credentialNames } from '../completion/candidates.ts'
import { type Connection, cliManager, parseTime, withConnection } from '../connection.ts'
import { complete, pathOf } from '../credentials.ts'
import { named } from '../named.ts'
import { coloured, print, tell } from '../output.ts'
import { type ExitCode, Problem } from '../problem.ts'
import { asking, type Progress, progressOf } from '../refresh-progress.ts'
import { watchCredentials } from '../watch-credentials.ts'

interface RefreshFlags {
  wait?: true
  timeout: string
}

export function registerRefresh(program: Command): void {
  program
    .command('refresh')
    .description('ask for a new login of credentials, and wait for it')
    .addArgument(completedBy(new Argument('<names...>', 'the credentials'), credentialNames))
    .option('--wait', 'wait until the new login is in all namespaces, and tell how far it is')
    .addOption(new Option('--timeout <time>', 'how long to wait, such as 90s; 0 for ever').default('1m'))
    .action((names: string[], flags: RefreshFlags, command: Command) =>
      withConnection(command, (connection) => refresh(connection, names, flags)),
    )
}

async function refresh({ client, operatorNamespace }: Connection, names: string[], flags: RefreshFlags) {
  const timeoutMs = parseTime(flags.timeout)
  if (timeoutMs === undefined)
    throw new Problem(`--timeout: "${flags.timeout}" is no time; write for example 90s or 5m`)
  const { found, exitCode } = await named(client, names)
  const suspended = found.filter(({ spec }) => spec.suspend)
  for (const { metadata } of suspended) {
    tell(`error: ${metadata.name}: spec.suspend is true, so the operator asks for nothing; set it to false first`)
  }
  const asked = found.filter(({ spec }) => !spec.suspend)
  const waiting = new Map<string, Waiting>()
  for (const { metadata } of asked) {
    const { before, request } = await ask(client, metadata.name)
    print(`${plural}.${group}/${metadata.name} refresh asked for\n`)
    waiting.set(metadata.name, { before, request, last: undefined })
  }
  const incomplete: ExitCode = suspended.length > 0 ? 1 : exitCode
  if (!flags.wait || waiting.size === 0) return incomplete
  const allDone = await wait(client, waiting, timeoutMs, operatorNamespace)
  return allDone ? incomplete : 1
}

interface Waiting {
  before: RegistryCredential
  request: string
  last: Progress | undefined
}

/** The credential as it was answered has the annotation already, and the status of before. */
async function ask(client: KubeClient, name: string): Promise<{ before: RegistryCredential; request: string }> {
  const request = new Date().toISOString()
  const patch = { metadata: { annotations: { [refreshAnnotation]: request } } }
  const before = await client.mergePatch<RegistryCredential>(pathOf(name), patch, { fieldManager: cliManager })
  return { before: complete(before), request }
}

/** @returns whether all have a new login, everywhere */
async function wait(
  client: KubeClient,
  waiting: Map<string, Waiting>,
  timeoutMs: number,
  operatorNamespace: string,
): Promise<boolean> {
  const end = new AbortController()
  const signals = [end.signal, ...(timeoutMs === 0 ? [] : [AbortSignal.timeout(timeoutMs)])]
  const names = [...waiting.keys()]
  let failed = false
  await watchCredentials(
    client,
    names,
    [],
    (credential) => {
      const { name } = credential.metadata
      const each = waiting.get(name)
      if (each === undefined) return
      const progress = progressOf(each.before, credential, each.request)
      if (progress.text !== each.last?.text) show(name, progress)
      each.last = progress
      if (progress.state === 'waiting') return
      failed ||= progress.state === 'failed'
      waiting.delete(name)
      if (waiting.size === 0) end.abort()
    },
    AbortSignal.any(signals),
  )
  for (const [name, { last }] of waiting) tell(`error: ${name}: timed out; ${whyNot(last, operatorNamespace)}`)
  return !failed && waiting.size === 0
}

function whyNot(last: Progress | undefined, operatorNamespace: string): string {
  if (last !== undefined && last.text !== asking) return last.text
  return `the operator has not answered; see whether it runs: kubectl -n ${operatorNamespace} get pods`
}

function show(name: string, { state, text }: Progress): void {
  const shown = escapeControls(text)
  if (state === 'failed') tell(`error: ${name}: ${text}`)
  else print(state === 'done' ? `${name}: ${coloured(shown, 'green')}\n` : `Waiting for ${name}: ${shown}\n`)
}
