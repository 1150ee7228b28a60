/** `kubectl regcred who`: which namespaces and ServiceAccounts use which credential. */
import { type Command, Option } from 'commander'
import { completedBy, credentialNames } from '../completion/candidates.ts'
import { type Connection, collect, withConnection } from '../connection.ts'
import { formatCsv } from '../csv.ts'
import { outputFlag, print, rendered, tell } from '../output.ts'
import { Table, unknown } from '../table.ts'
import { readPopulation } from '../who/read-population.ts'
import { type Use, usesOf } from '../who/uses.ts'

interface WhoFlags {
  credential?: string[]
  output?: 'wide' | 'csv' | 'json' | 'yaml'
}

const help = `
STATE is Linked where the ServiceAccount names the Secret and the login is in it; NotLinked where it is selected and
does not name it; NoLogin where the login is not in that Secret; PodsOnly where only pods name it; SecretOnly where nobody
does. PODS are those that name the Secret and have not ended, WORKLOADS what they are of.`

export function registerWho(program: Command): void {
  program
    .command('who')
    .description('list the namespaces and ServiceAccounts that use a credential; -n for one namespace')
    .addOption(
      completedBy(
        new Option('--credential <name>', 'only this credential; repeat it for more').argParser(collect),
        credentialNames,
      ),
    )
    .addOption(outputFlag(['wide', 'csv', 'json', 'yaml']))
    .addHelpText('after', help)
    .action((flags: WhoFlags, command: Command) => withConnection(command, (connection) => who(connection, flags)))
}

async function who(connection: Connection, { credential = [], output }: WhoFlags): Promise<undefined> {
  const { client, isNamespaceGiven } = connection
  const namespace = isNamespaceGiven ? connection.namespace : undefined
  const scope = { credentials: credential, namespace, pods: output !== undefined }
  const { population, notes } = await readPopulation(client, scope)
  const uses = usesOf(population)
  for (const note of notes) tell(`Note: ${note}`)
  if (output === 'json' || output === 'yaml') print(rendered({ kind: 'UseList', items: uses }, output))
  else if (output === 'csv') print(formatCsv([csvHeaders, ...uses.map((use) => csvRow(use))]))
  else if (uses.length === 0) tell('No resources found')
  else print(new Table(output === 'wide' ? [...headers, ...wideHeaders] : headers).head(rows(uses, output === 'wide')))
}

const headers = ['CREDENTIAL', 'NAMESPACE', 'SERVICEACCOUNT', 'SECRET', 'STATE']
const wideHeaders = ['PODS', 'WORKLOADS']
const csvHeaders = ['credential', 'namespace', 'serviceAccount', 'secret', 'state', 'pods', 'workloads']

function rows(uses: readonly Use[], isWide: boolean): string[][] {
  return uses.map(({ credential, namespace, serviceAccount, secret, state, pods, workloads }) => [
    ...[credential, namespace, serviceAccount, secret, state],
    ...(isWide ? [String(pods ?? unknown), String(workloads ?? unknown)] : []),
  ])
}

function csvRow({ credential, namespace, serviceAccount, secret, state, pods, workloads }: Use): string[] {
  return [credential, namespace, serviceAccount, secret, state, String(pods ?? ''), String(workloads ?? '')]
}
