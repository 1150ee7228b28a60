/** `source.exec`: a plugin of the installation, asked about each image or server that the credential names. */
import type { Entries, Entry } from '../model/docker-config.ts'
import { readHelper } from './docker-helper.ts'
import { unusable } from './issuer.ts'
import { isGoodFor, type PluginAnswer, questionAbout, readAnswer } from './kubelet-plugin.ts'
import { answerOf, gaveNothing, nameOf } from './plugin-answer.ts'
import { pluginFile } from './plugin-file.ts'
import { type PluginEnd, runPlugin } from './plugin-process.ts'
import type { Issued, Source, SourceContext, SpecOf } from './source.ts'

type ExecSpec = SpecOf<'exec'>
type Run = (args: readonly string[], input: string) => Promise<PluginEnd>

export const exec: Source<'exec'> = {
  async issue(spec, context, signal) {
    const { plugin, protocol } = spec
    const { execPluginDir, execPluginEnv: env } = context.settings
    const file = await pluginFile(execPluginDir, plugin)
    const run: Run = (args, input) => runPlugin({ plugin, file, args, input, env }, signal)
    return protocol === 'DockerCredentialHelper' ? askHelper(spec, context, run) : askProvider(spec, context, run)
  },
}

/** As the kubelet asks when pods with these images come one after the other, so an answer may serve several of them. */
async function askProvider(spec: ExecSpec, context: SourceContext, run: Run): Promise<Issued> {
  const { plugin, args = [], serviceAccountName, audience } = spec
  const identity = serviceAccountName && audience ? await context.requestToken(serviceAccountName, audience) : undefined
  const answers: { image: string; answer: PluginAnswer; at: number }[] = []
  for (const image of spec.for) {
    if (answers.some((earlier) => isGoodFor(earlier.answer, earlier.image, image))) continue
    const answer = readAnswer(answerOf(await run(args, questionAbout(image, identity)), plugin), nameOf(plugin))
    conceal(context, answer.entries.values())
    if (answer.entries.size === 0) throw gaveNothing(plugin, image)
    answers.push({ image, answer, at: Date.now() })
  }
  const entries = joined(
    answers.flatMap(({ answer }) => [...answer.entries]),
    nameOf(plugin),
  )
  const times = answers.flatMap(({ answer, at }) => (answer.cacheDuration ? [at + answer.cacheDuration] : []))
  return { given: { entries }, ...(times.length > 0 && { refreshAfter: new Date(Math.min(...times)) }) }
}

async function askHelper(spec: ExecSpec, context: SourceContext, run: Run): Promise<Issued> {
  const entries = new Map<string, Entry>()
  for (const server of spec.for) {
    const login = readHelper(await run(['get'], server), spec.plugin, server)
    conceal(context, [login])
    entries.set(server, login)
  }
  return { given: { entries } }
}

/** @throws SourceProblem where two answers give one key different logins: each may be right for its own image only */
function joined(logins: readonly (readonly [string, Entry])[], issuer: string): Entries {
  const entries = new Map<string, Entry>()
  for (const [key, login] of logins) {
    const { username, password } = entries.get(key) ?? login
    if (username !== login.username || password !== login.password) {
      throw unusable(
        issuer,
        'differs between images of source.exec.for for one and the same registry; name them in several credentials, each with its own secretName',
      )
    }
    entries.set(key, login)
  }
  return entries
}

function conceal(context: SourceContext, logins: Iterable<Entry>): void {
  context.conceal(...[...logins].map(({ password }) => password))
}
