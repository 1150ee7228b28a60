/** `kubectl regcred create`: the source Secret and the credential, in one go. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { operatorName } from '../../api/names.ts'
import { isForbidden } from '../../kube/api-error.ts'
import { type Applied, applyAll } from '../apply.ts'
import { type Connection, withConnection } from '../connection.ts'
import { withoutManagedFields } from '../credentials.ts'
import { type LoginFlags, type Origin, originOf, readLogin, readLoginSecret } from '../given-login.ts'
import { parseSelector } from '../label-selector-text.ts'
import { credential, type Manifest, sourceSecret, type Wanted } from '../manifests.ts'
import { objectName } from '../object-name.ts'
import { listOf, outputFlag, print, rendered, tell } from '../output.ts'
import { Problem } from '../problem.ts'

interface CreateFlags extends LoginFlags {
  include?: string[]
  exclude?: string[]
  selector?: string
  serviceAccounts?: string[]
  registries?: string[]
  secretName?: string
  verifyImage?: string
  dryRun: 'none' | 'client' | 'server'
  overwrite?: true
  output?: 'json' | 'yaml'
}

export function registerCreate(program: Command): void {
  program
    .command('create')
    .description(
      'create a credential and its source Secret, as kubectl create secret docker-registry does for one namespace',
    )
    .argument('<name>', 'of the credential, and of its source Secret', objectName)
    .addOption(new Option('--docker-server <server>', 'the registry').default('https://index.docker.io/v1/'))
    .option('--docker-username <name>', 'the user name for the registry')
    .option('--password-stdin', 'read the password from standard input')
    .option(
      '--docker-password <password>',
      'the password; others on this machine can see it, so prefer --password-stdin',
    )
    .option('--docker-email <email>', 'an e-mail address, which no registry asks for any more')
    .option('--from-docker-config <file>', 'take the logins of a file such as ~/.docker/config.json')
    .option('--from-file <file>', 'the same, as kubectl calls it')
    .option(
      '--from-secret <namespace/name>',
      "take the logins of a Secret; one of the operator's namespace is used as it is",
    )
    .option('--include <globs>', 'namespaces that get it: names or globs, separated by commas', list)
    .option('--exclude <globs>', 'namespaces that never get it', list)
    .option('-l, --selector <selector>', 'namespaces that get it, by their labels, such as tier=backend')
    .option('--service-accounts <globs>', 'ServiceAccounts that get the reference; left out, default', list)
    .option('--registries <keys>', 'what the login is for; of several logins only these are taken', list)
    .option('--secret-name <name>', 'of the Secret in the namespaces; left out, regcred')
    .option('--verify-image <ref>', 'an image that the login has to be able to pull')
    .addOption(
      new Option('--dry-run [mode]', 'write nothing: client only prints, server asks whether it would be taken')
        .choices(['none', 'client', 'server'])
        .default('none')
        .preset('client'),
    )
    .option('--overwrite', 'replace a credential or Secret that is there already')
    .addOption(outputFlag(['json', 'yaml']))
    .addHelpText('after', explanation)
    .action((name: string, flags: CreateFlags, command: Command) =>
      withConnection(command, (connection) => create(connection, name, flags)),
    )
}

const explanation = `
Without --include and --selector only namespaces get it that ask for it by the label use.regcred.dev/NAME=true.
With --output the objects are printed, and with them the login.

Examples:
  kubectl regcred create dockerhub --docker-username acme --password-stdin --include 'team-*' < token.txt
  kubectl regcred create ghcr --from-docker-config ~/.docker/config.json --registries ghcr.io/acme/ -l tier=backend
  kubectl regcred create old --from-secret shop/regcred --include shop --dry-run=server`

/**
 * A list of a flag: separated by commas, and the flag may be repeated.
 * @throws InvalidArgumentError for none: in --registries of a script that would mean all logins
 */
function list(value: string, values: string[] | undefined): string[] {
  const given = value.split(',').map((each) => each.trim())
  const named = given.filter((each) => each !== '')
  if (named.length === 0) throw new InvalidArgumentError('It names nothing.')
  return [...(values ?? []), ...named]
}

async function create(connection: Connection, name: string, flags: CreateFlags): Promise<undefined> {
  const origin = originOf(flags)
  refuseOwn(name)
  if ('secret' in origin && origin.secret.namespace === connection.operatorNamespace) refuseOwn(origin.secret.name)
  const manifests = await manifestsOf(connection, name, origin, flags)
  if (flags.dryRun === 'client') {
    show(
      manifests.map((object) => ({ object, isNew: true })),
      flags,
    )
    return
  }
  const { dryRun, overwrite = false } = flags
  const settings = { dryRun: dryRun === 'server', overwrite }
  const applied = await applyAll(connection.client, manifests, settings)
  show(
    applied.map(({ object, isNew }) => ({ object: withoutManagedFields(object), isNew })),
    flags,
  )
  if (flags.include === undefined && flags.selector === undefined) {
    tell(
      `No namespace is selected by --include or --selector: only those labelled use.regcred.dev/${name}=true get it.`,
    )
  }
}

function refuseOwn(name: string): void {
  if (!name.startsWith(`${operatorName}-`)) return
  throw new Problem(`the operator's own Secrets have names that begin with ${operatorName}-; choose another`)
}

async function manifestsOf(
  connection: Connection,
  name: string,
  origin: Origin,
  flags: CreateFlags,
): Promise<Manifest[]> {
  const { operatorNamespace } = connection
  const wanted = wantedBy(flags)
  if (!('secret' in origin)) {
    const secret = sourceSecret(name, operatorNamespace, await readLogin(origin, flags.registries))
    return [secret, credential(name, name, wanted)]
  }
  const { secret } = origin
  if (secret.namespace !== operatorNamespace) {
    const entries = await readLoginSecret(connection.client, secret, flags.registries)
    tell(`The login is copied: later changes of Secret ${secret.namespace}/${secret.name} are not followed.`)
    return [sourceSecret(name, operatorNamespace, entries), credential(name, name, wanted)]
  }
  try {
    await readLoginSecret(connection.client, secret, flags.registries)
  } catch (error) {
    // The operator reads it, and tells what is wrong with it.
    if (!isForbidden(error)) throw error
  }
  return [credential(name, secret.name, wanted)]
}

function wantedBy(flags: CreateFlags): Wanted {
  const { include, exclude, serviceAccounts, registries, secretName, verifyImage } = flags
  const selector = flags.selector === undefined ? undefined : parseSelector(flags.selector)
  if (flags.selector !== undefined && selector === undefined) {
    throw new Problem(
      `--selector: "${flags.selector}" is no label selector; write for example tier=backend,env in (dev,test)`,
    )
  }
  return { include, exclude, selector, serviceAccounts, registries, secretName, verifyImage }
}

const suffixes = { none: '', client: ' (dry run)', server: ' (server dry run)' } as const

function show(
  applied: readonly (Omit<Applied, 'object'> & { object: object })[],
  { output, dryRun }: CreateFlags,
): void {
  const objects = applied.map(({ object }) => object as Manifest)
  if (output === 'json') print(rendered(listOf(objects), output))
  else if (output === 'yaml') print(objects.map((object) => rendered(object, output)).join('---\n'))
  else {
    for (const [index, { kind, metadata }] of objects.entries()) {
      const resource = kind === 'Secret' ? 'secret' : 'registrycredential.regcred.dev'
      const verb = applied[index]?.isNew ? 'created' : 'configured'
      print(`${resource}/${metadata.name} ${verb}${suffixes[dryRun]}\n`)
    }
  }
}
