/** `kubectl regcred status`: what became of each credential. */
import { Argument, type Command } from 'commander'
import type { RegistryCredential } from '../../api/registry-credential.ts'
import { completedBy, credentialNames } from '../completion/candidates.ts'
import { type Connection, withConnection } from '../connection.ts'
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
  const isTable = output === undefined || output === 'wide'
  const show = isTable ? tableOf(output === 'wide') : (some: Credentials) => print(rendered(listOf(some), output))
  if (found.length > 0) show(found)
  else if (names.length === 0 && isTable) tell('No resources found')
  else if (names.length === 0) show([])
  if (watch) await watchCredentials(client, names, found, (credential) => show([credential]))
  const failures = isTable ? found.flatMap(failureRows) : []
  if (failures.length > 0) print(`\n${new Table(failureHeaders).head(failures)}`)
  return exitCode
}

type Credentials = readonly RegistryCredential[]

/** Prints rows, and the headers before the first. */
function tableOf(isWide: boolean): (credentials: Credentials) => void {
  const table = new Table(statusHeaders(isWide))
  let isBegun = false
  return (credentials) => {
    const rows = credentials.map((each) => statusRow(each, isWide, new Date()))
    print(isBegun ? table.body(rows) : table.head(rows))
    isBegun = true
  }
}
