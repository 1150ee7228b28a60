/** `kubectl regcred plan`: what applying or deleting credentials would change, namespace by namespace, without writing. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import { completedBy, credentialNames } from '../completion/candidates.ts'
import { type Connection, collect, withConnection } from '../connection.ts'
import { outputFlag, print, rendered } from '../output.ts'
import { DocumentProblem, type Documents, type Manifest, readDocuments } from '../plan/documents.ts'
import { readPlan } from '../plan/read-plan.ts'
import { changesAnything, renderPlan, summaryOf } from '../plan/render.ts'
import { type ExitCode, Problem } from '../problem.ts'

interface PlanFlags {
  filename?: string[]
  delete?: string[]
  output?: 'json' | 'yaml'
}

const explanation = `
Documents of other kinds that count: Namespaces (their labels), ServiceAccounts, and source Secrets in the operator's
namespace. Nothing is stored; the API server checks the documents by a dry run.

Exit codes, as those of kubectl diff: 0 nothing changes, 1 something changes, 2 it could not be found out.`

export function registerPlan(program: Command): void {
  program
    .command('plan')
    .description('show what applying or deleting credentials would change, without doing it')
    .option('-f, --filename <file>', 'what is to be applied; - is standard input; repeat it for more', collect)
    .addOption(
      completedBy(
        new Option('--delete <name>', 'a credential that is to be deleted; repeat it for more').argParser(collect),
        credentialNames,
      ),
    )
    .addOption(outputFlag(['json', 'yaml']))
    .addHelpText('after', explanation)
    .action((flags: PlanFlags, command: Command) => withConnection(command, (connection) => plan(connection, flags)))
}

async function plan(
  connection: Connection,
  { filename = [], delete: deletions = [], output }: PlanFlags,
): Promise<ExitCode> {
  if (filename.length + deletions.length === 0) {
    throw new Problem('name what is to be applied by -f FILE, or what is to be deleted by --delete NAME')
  }
  const documents = merged(await Promise.all(filename.map(readFilename)))
  const { credentials, namespaces, serviceAccounts, secrets, ignored } = documents
  if (deletions.length + credentials.length + namespaces.length + serviceAccounts.length + secrets.length === 0) {
    const others = ignored.length > 0 ? ` (only ${ignored.join(', ')})` : ''
    throw new Problem(
      `${filename.join(', ')}: there is no RegistryCredential in it, nor anything that counts for one${others}`,
    )
  }
  const result = await readPlan(connection, inNamespace(documents, connection), deletions)
  if (output) print(rendered({ kind: 'Plan', summary: summaryOf(result), ...result }, output))
  else print(renderPlan(result))
  return changesAnything(result) ? 1 : 0
}

async function readFilename(file: string): Promise<Documents> {
  const name = file === '-' ? 'standard input' : file
  try {
    return readDocuments(file === '-' ? await text(process.stdin) : await readFile(file, 'utf8'), name)
  } catch (error) {
    if (error instanceof DocumentProblem) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EISDIR')
      throw new Problem(`${name} is a folder: kubectl kustomize ${name} | kubectl regcred plan -f -`)
    throw new Problem(`${name} cannot be read (${code})`)
  }
}

/** What names no namespace is applied to that of the flag or the context. */
function inNamespace(documents: Documents, connection: Connection): Documents {
  const { serviceAccounts, secrets } = documents
  const placed = (each: Manifest) =>
    each.metadata.namespace ? each : { ...each, metadata: { ...each.metadata, namespace: connection.namespace } }
  return { ...documents, serviceAccounts: serviceAccounts.map(placed), secrets: secrets.map(placed) }
}

function merged(parts: readonly Documents[]): Documents {
  return {
    credentials: parts.flatMap(({ credentials }) => credentials),
    namespaces: parts.flatMap(({ namespaces }) => namespaces),
    serviceAccounts: parts.flatMap(({ serviceAccounts }) => serviceAccounts),
    secrets: parts.flatMap(({ secrets }) => secrets),
    ignored: parts.flatMap(({ ignored }) => ignored),
  }
}
