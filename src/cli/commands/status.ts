/** `kubectl regcred status`: what became of each credential. */
import { Argument, type Command } from 'commander'
import type { RegistryCredential } from '../../api/registry-credential.ts'
import { completedBy, credentialNames } from '../completion/candidates.ts'
import { type Connection, withConnection } from '../connection.ts'
import { complete } from '../credentials.ts'
import { named } from '../named.ts'
import { type Format, listOf, outputFlag, print, rendered, tell } from '../output.ts'
import type { ExitCode } from '../problem.ts'
import { failureHeaders, failureRows, statusHeaders, statusRow } from '../status-rows.ts'
import { Table } from '../table.ts'
import { watchCredentials } from '../watch-credentials.ts'

interface StatusFlags {
  output?: Format
  watch?: true
}

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('show what became of credentials: ready, verified, expiry, namespaces, failures')
    .addArgument(completedBy(new Argument('[names...]', 'the credentials; left out, all of them'), credentialNames))
    .addOption(outputFlag(['wide', 'json', 'yaml']))
    .option('-w, --watch', 'go on, and print what changes')
    .action((names: string[], flags: StatusFlags, command: Command) =>
      withConnection(command, (connection) => status(connection, names, flags)),
    )
}

async function status({ client }: Connection, names: string[], { output, watch }: StatusFlags): Promise<ExitCode> {
  const { found, exitCode } = await named(client, names)
  const isWide = output === 'wide'
  const printer = output === 'json' || output === 'yaml' ? undefined : new Table(statusHeaders(isWide))
  const rows = (credentials: RegistryCredential[]) => credentials.map((each) => statusRow(each, isWide, new Date()))
  if (printer === undefined) {
    if (names.length === 0 || found.length > 0) print(whole(found, output))
  } else if (found.length > 0) {
    print(printer.head(rows(found)))
  } else if (names.length === 0) {
    tell('No resources found')
  }
  if (watch) {
    await watchCredentials(client, names, found, (credential) =>
      print(printer === undefined ? whole([credential], output) : printer.body(rows([credential]))),
    )
  }
  const failures = printer === undefined ? [] : found.flatMap(failureRows)
  if (failures.length > 0) print(`\n${new Table(failureHeaders).head(failures)}`)
  return exitCode
}

function whole(credentials: RegistryCredential[], output: Format | undefined): string {
  return rendered(listOf(credentials.map(complete)), output === 'json' ? 'json' : 'yaml')
}
