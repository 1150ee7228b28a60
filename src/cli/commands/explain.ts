/** `kubectl regcred explain`: why images will or will not be pulled. */
import { Argument, type Command } from 'commander'
import { completedBy } from '../completion/candidates.ts'
import { type Connection, withConnection } from '../connection.ts'
import { explain } from '../explain/explain.ts'
import { explainableKinds, readFacts, readSubject, subjectNames } from '../explain/read-facts.ts'
import { renderExplanation } from '../explain/render.ts'
import { type Subject, subjectOfImage } from '../explain/subject.ts'
import { objectName } from '../object-name.ts'
import { outputFlag, print, rendered } from '../output.ts'
import { type ExitCode, Problem } from '../problem.ts'

interface ExplainFlags {
  serviceAccount?: string
  output?: 'json' | 'yaml'
}

const help = `
Examples:
  kubectl regcred explain pod/web-7d9c -n shop
  kubectl regcred explain deployment/web -n shop                 what a new pod of it would do
  kubectl regcred explain image ghcr.io/acme/app:1 -n shop       for pods of the ServiceAccount default

What you may not read is left out, and said. Keys of Secrets are read where you may, and never their logins.

Exit codes: 0 all images will be pulled, as far as can be told; 1 one will not; 2 it cannot be told.`

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description('tell why the images of a pod or workload will or will not be pulled, and what to do')
    .addArgument(
      completedBy(new Argument('<what>', `KIND/NAME with ${explainableKinds}; or the word image`), subjectNames),
    )
    .argument('[name]', 'after the word image: the image; after a kind: the name, as KIND NAME')
    .option('--service-account <name>', 'with image: the ServiceAccount of the pod (default "default")', objectName)
    .addOption(outputFlag(['json', 'yaml']))
    .addHelpText('after', help)
    .action((what: string, name: string | undefined, flags: ExplainFlags, command: Command) =>
      withConnection(command, (connection) => run(connection, what, name, flags)),
    )
}

async function run(
  connection: Connection,
  what: string,
  name: string | undefined,
  { serviceAccount, output }: ExplainFlags,
): Promise<ExitCode> {
  const subject =
    what === 'image'
      ? ofImage(connection, name, serviceAccount)
      : await ofObject(connection, what, name, serviceAccount)
  const explanation = explain(await readFacts(connection, subject, new Date()))
  print(output ? rendered(explanation, output) : renderExplanation(explanation))
  return { yes: 0, no: 1, unknown: 2 }[explanation.pulls] as ExitCode
}

function ofImage({ namespace }: Connection, image: string | undefined, serviceAccount = 'default'): Subject {
  if (image === undefined) throw new Problem('name the image: explain image REF')
  return subjectOfImage(image, namespace, serviceAccount)
}

function ofObject(
  connection: Connection,
  what: string,
  name: string | undefined,
  serviceAccount: string | undefined,
): Promise<Subject> {
  if (serviceAccount !== undefined) throw new Problem('--service-account is only for explain image REF')
  return readSubject(connection, name === undefined ? what : `${what}/${name}`)
}
