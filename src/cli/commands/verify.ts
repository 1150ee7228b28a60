/** `kubectl regcred verify`: asks the registries from here, with the login as the user may read it. */
import { Argument, type Command } from 'commander'
import type { RegistryCredential } from '../../api/registry-credential.ts'
import { Outbound } from '../../http/outbound.ts'
import { parseImage } from '../../model/image.ts'
import { completedBy, credentialNames } from '../completion/candidates.ts'
import { type Connection, collect, withConnection } from '../connection.ts'
import { type LoginOf, loginOf } from '../login-of.ts'
import { named } from '../named.ts'
import { type Colour, coloured, outputFlag, print, rendered, tell } from '../output.ts'
import { type ExitCode, Problem, sayingOf } from '../problem.ts'
import { covers, exitCodeOf, type RegistryCheck, registryChecks, stepLines } from '../registry-checks.ts'

interface VerifyFlags {
  image?: string
  caFile?: string[]
  insecureHost?: string[]
  output?: 'json' | 'yaml'
}

interface Verified {
  credential: string
  from: string
  checks: RegistryCheck[]
}

const colours: Readonly<Record<RegistryCheck['verdict'], Colour>> = {
  Valid: 'green',
  Unknown: 'yellow',
  Invalid: 'red',
  NoPullAccess: 'red',
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('ask the registries from here whether they take the logins, and show each step')
    .addArgument(completedBy(new Argument('[names...]', 'the credentials; left out, all of them'), credentialNames))
    .option('--image <ref>', 'an image that has to be pullable; left out, verify.image of the credential')
    .option('--ca-file <file>', 'a PEM file with a CA that registries may be signed by; repeat it for more', collect)
    .option('--insecure-host <host[:port]>', 'a registry that is spoken to without TLS; repeat it for more', collect)
    .addOption(outputFlag(['json', 'yaml']))
    .addHelpText('after', explanation)
    .action((names: string[], flags: VerifyFlags, command: Command) =>
      withConnection(command, (connection) => verify(connection, names, flags)),
    )
}

const explanation = `
The login is read from the source Secret; with -n, and for credentials without one, from the pull Secret of the namespace.

Exit codes: 0 the registries take the logins; 1 one does not; 2 one does not say, or a login cannot be read.`

async function verify(connection: Connection, names: string[], flags: VerifyFlags): Promise<ExitCode> {
  const { image, caFile = [], insecureHost = [], output } = flags
  if (image !== undefined && parseImage(image) === undefined) {
    throw new Problem(
      `--image: "${image}" is not the name of an image in a registry; write for example ghcr.io/acme/app:1.0`,
    )
  }
  const { found, exitCode } = await named(connection.client, names)
  const outbound = new Outbound({ caFiles: caFile, insecureHosts: insecureHost, env: process.env })
  const results: Verified[] = []
  let unread = false
  try {
    for (const credential of found) {
      try {
        const login = await loginOf(connection, credential)
        // Of all credentials only those are meant that are for the image.
        if (names.length === 0 && image !== undefined && !covers(login.entries, image)) continue
        const result = await verifyOne(credential, login, image, outbound)
        results.push(result)
        if (output === undefined) print(textOf(result))
      } catch (error) {
        unread = true
        tell(`${credential.metadata.name}: ${sayingOf(error)}`)
      }
    }
  } finally {
    await outbound.close()
  }
  if (output !== undefined) print(rendered(results, output))
  if (exitCode !== 0) return exitCode
  if (found.length === 0) tell('No resources found')
  else if (results.length === 0 && !unread) tell(`error: no credential is for ${image}`)
  const said = exitCodeOf(results.flatMap(({ checks }) => checks.map(({ verdict }) => verdict)))
  return unread && said === 0 ? 2 : said
}

async function verifyOne(
  { metadata, spec }: RegistryCredential,
  { entries, from }: LoginOf,
  image: string | undefined,
  { fetch }: Outbound,
): Promise<Verified> {
  const checks = await registryChecks(entries, image ?? spec.verify.image, fetch)
  // The sentences are the operator's, for its conditions.
  const told = image === undefined ? checks : checks.map((each) => ({ ...each, message: ofFlag(each.message) }))
  return { credential: metadata.name, from, checks: told }
}

function ofFlag(message: string): string {
  return message.replaceAll('verify.image', '--image')
}

function textOf({ credential, from, checks }: Verified): string {
  const lines = checks.flatMap((each) => [
    ...stepLines(each),
    `  ${coloured(each.verdict, colours[each.verdict])} (${each.reason}): ${each.message}`,
  ])
  if (checks.length === 0)
    lines.push('no entry names one registry, and a wildcard cannot be asked; --image names an image')
  return `${credential}: the login of ${from}\n${lines.map((line) => `  ${line}\n`).join('')}`
}
