/**
 * The user's kubeconfig, read as kubectl reads it: `--kubeconfig`, else the files of KUBECONFIG, else ~/.kube/config; of two
 * entries of one name the first counts. Never the ServiceAccount of a pod, which may be the operator's.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { parse } from 'yaml'
import { Problem } from './problem.ts'

/** What the flags say instead of the files. */
export interface KubeconfigChoice {
  kubeconfig?: string
  context?: string
  cluster?: string
  user?: string
}

/** The name of the context that is made of `--cluster` and `--user`. */
const chosen = 'chosen-by-flags'

/** @returns with its current context set. @throws Problem */
export function loadKubeConfig(choice: KubeconfigChoice, env: NodeJS.ProcessEnv): KubeConfig {
  const kubeConfig = merge(filesOf(choice, env).map(read))
  if (choice.context !== undefined) {
    if (kubeConfig.getContextObject(choice.context) === null) {
      throw new Problem(`context "${choice.context}" does not exist; kubectl config get-contexts lists them`)
    }
    kubeConfig.setCurrentContext(choice.context)
  }
  if (choice.cluster !== undefined || choice.user !== undefined) combine(kubeConfig, choice)
  if (kubeConfig.getCurrentCluster() === null) {
    throw new Problem('the kubeconfig has no current context, or its cluster is missing; --context chooses one')
  }
  if (kubeConfig.getCurrentUser() === null) {
    const name = kubeConfig.getCurrentContext()
    throw new Problem(`context "${name}" has no user, or one that does not exist; --user chooses one`)
  }
  return kubeConfig
}

function filesOf({ kubeconfig }: KubeconfigChoice, env: NodeJS.ProcessEnv): string[] {
  if (kubeconfig !== undefined) {
    if (!existsSync(kubeconfig)) throw new Problem(`--kubeconfig: there is no file ${kubeconfig}`)
    return [kubeconfig]
  }
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '')
  const candidates = listed.length > 0 ? listed : [join(env.HOME ?? homedir(), '.kube', 'config')]
  const files = candidates.filter((file) => existsSync(file))
  if (files.length === 0) {
    throw new Problem(`there is no kubeconfig at ${candidates.join(delimiter)}; name one by --kubeconfig or KUBECONFIG`)
  }
  return files
}

function read(file: string): KubeConfig {
  const kubeConfig = new KubeConfig()
  try {
    const { users, ...rest } = (parse(readFileSync(file, 'utf8')) ?? {}) as { users?: NamedUser[] | null }
    const folder = dirname(file)
    kubeConfig.loadFromString(JSON.stringify({ ...rest, users: users?.map((each) => understood(each, folder)) }))
    kubeConfig.makePathsAbsolute(folder)
  } catch {
    // The message of a YAML error quotes the lines around it, and with them tokens and keys.
    throw new Problem(`${file} is not a valid kubeconfig; kubectl config view tells what is wrong`)
  }
  return kubeConfig
}

/** As much of a user as client-node does not take in the way kubectl does. */
interface NamedUser {
  user?: { tokenFile?: string; exec?: { command?: string } }
}

/** A `tokenFile`, which outranks a token, and a plugin that is named by a path are looked for beside the kubeconfig. */
function understood({ user = {}, ...named }: NamedUser, folder: string): object {
  const { tokenFile, exec, ...rest } = user
  const fromFile = tokenFile && {
    token: undefined,
    'auth-provider': { name: 'tokenFile', config: { tokenFile: resolve(folder, tokenFile) } },
  }
  const plugin = exec?.command?.includes('/') ? { ...exec, command: resolve(folder, exec.command) } : exec
  return { ...named, user: { ...rest, ...(plugin && { exec: plugin }), ...fromFile } }
}

function merge(parts: readonly KubeConfig[]): KubeConfig {
  const merged = new KubeConfig()
  merged.loadFromOptions({
    clusters: firstOfEachName(parts.flatMap(({ clusters }) => clusters)),
    users: firstOfEachName(parts.flatMap(({ users }) => users)),
    contexts: firstOfEachName(parts.flatMap(({ contexts }) => contexts)),
    currentContext: parts.map(({ currentContext }) => currentContext).find(Boolean) ?? '',
  })
  return merged
}

function firstOfEachName<T extends { name: string }>(entries: readonly T[]): T[] {
  return [...new Map(entries.toReversed().map((entry) => [entry.name, entry])).values()]
}

function combine(kubeConfig: KubeConfig, { cluster, user }: KubeconfigChoice): void {
  const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext())
  const combined = { cluster: cluster ?? context?.cluster ?? '', user: user ?? context?.user ?? '' }
  if (kubeConfig.getCluster(combined.cluster) === null) {
    throw new Problem(`cluster "${combined.cluster}" does not exist; kubectl config get-clusters lists them`)
  }
  if (kubeConfig.getUser(combined.user) === null) {
    throw new Problem(`user "${combined.user}" does not exist; kubectl config get-users lists them`)
  }
  kubeConfig.addContext({ name: chosen, ...combined, ...(context?.namespace && { namespace: context.namespace }) })
  kubeConfig.setCurrentContext(chosen)
}
