/** What a plugin gets of the operator, and what is seen of both by others on the machine while it runs and afterwards. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { RunningOperator } from '../cluster/operator.ts'
import { temporaryFolders } from '../cluster/temporary.ts'
import { eventually } from '../cluster/wait.ts'
import { Installation } from '../controller/installation.ts'
import { Lab, operatorNamespace } from '../controller/lab.ts'
import { RESTART_TIMEOUT_MS } from '../controller/restarts.ts'
import { answer, writePlugin } from '../sources/plugins.ts'
import { leaksIn, newCanary, type Secrets } from '../support/canary.ts'
import { Disk, leftInCluster, ownSecrets, shownBy } from './leaks-places.ts'

const registry = 'registry.test'
const login = { username: 'puller', password: newCanary() }
const ofOperator = newCanary()
const folder = temporaryFolders()

let lab: Lab
let installation: Installation
let serviceAccount: string
let operator: RunningOperator | undefined

beforeAll(async () => {
  lab = new Lab()
  installation = new Installation(lab)
  serviceAccount = lab.unique('plugin')
  await installation.allowTokens([serviceAccount])
  await lab.create(`/api/v1/namespaces/${operatorNamespace}/serviceaccounts`, { metadata: { name: serviceAccount } })
})

afterAll(async () => {
  await operator?.kill()
  await installation.remove()
  await lab.close()
})

/** A plugin that tells everybody what it was told, and waits in the midst of it. */
class Plugin {
  readonly dir: string
  readonly #gate: string
  readonly #fails: string

  constructor(root: string) {
    this.dir = join(root, 'plugins')
    this.#gate = join(root, 'gate')
    this.#fails = join(root, 'fails')
    mkdirSync(this.dir)
    writePlugin(
      this.dir,
      'tells',
      'question=$(cat)',
      'echo "$question" | tee "$HOME/question" "$TMPDIR/copy" >&2',
      `while [ ! -e '${this.#gate}' ]; do sleep 0.05; done`,
      `if [ -e '${this.#fails}' ]; then echo "$question"; exit $(cat '${this.#fails}'); fi`,
      answer({ [registry]: login }),
    )
  }

  goesOn(): void {
    writeFileSync(this.#gate, '')
  }

  waits(): void {
    rmSync(this.#gate)
  }

  recovers(): void {
    rmSync(this.#fails)
  }

  /** It answers with its question. */
  failsWith(exitCode: number): void {
    writeFileSync(this.#fails, String(exitCode))
  }
}

async function refresh(credential: string, value: string): Promise<void> {
  await lab.cluster.kubectl('annotate', '--overwrite', 'rcred', credential, `regcred.dev/refresh=${value}`)
}

/** What a process has open beside its standard streams. */
function openFiles(pid: string): string[] {
  const descriptors = readdirSync(`/proc/${pid}/fd`).filter((fd) => Number(fd) > 2)
  return descriptors.flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return [] // closed meanwhile
    }
  })
}

/** The plugin's process and folder, once it waits, and the token that it was told. */
async function waiting({ pid }: RunningOperator, disk: Disk): Promise<{ child: string; home: string; token: string }> {
  return await eventually(() => {
    const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    const [name = ''] = readdirSync(disk.env.TMPDIR)
    const home = join(disk.env.TMPDIR, name)
    const { serviceAccountToken: token } = JSON.parse(readFileSync(join(home, 'question'), 'utf8'))
    return child !== '' && { child, home, token: String(token) }
  })
}

test(
  'a plugin gets its question and the named variables alone, and nothing of either is seen',
  async () => {
    const root = folder()
    const plugin = new Plugin(root)
    const disk = new Disk(folder())
    const running = await installation.start({
      env: { ...disk.env, NAMED: 'named', AWS_SECRET_ACCESS_KEY: ofOperator },
      args: ['--log-level=debug', `--exec-plugin-dir=${plugin.dir}`, '--exec-plugin-env=NAMED'],
    })
    operator = running
    const namespace = await lab.namespace('plugin')
    const credential = await lab.credential('plugin', {
      source: {
        exec: {
          plugin: 'tells',
          protocol: 'KubeletCredentialProvider',
          for: [`${registry}/app`],
          serviceAccountName: serviceAccount,
          audience: 'registry',
        },
      },
      namespaces: { include: [namespace], optIn: true },
    })
    const { child, home, token } = await waiting(running, disk)
    const { TMPDIR, HOME, PATH, ...named } = Object.fromEntries(
      readFileSync(`/proc/${child}/environ`, 'utf8')
        .split('\0')
        .filter((each) => each !== '')
        .map((each) => each.split('=', 2)),
    )
    expect([HOME, TMPDIR, named]).toEqual([home, home, { NAMED: 'named' }])
    expect(PATH).not.toContain(process.cwd())
    // Nothing of the operator's; the shell has opened the script, and pipes of its own for a moment.
    await eventually(() => {
      const inherited = openFiles('self') // from whoever runs the tests
      const files = openFiles(child).filter((file) => !inherited.includes(file))
      expect(new Set(files)).toEqual(new Set([join(plugin.dir, 'tells')]))
    })
    expect(statSync(home).mode & 0o777).toBe(0o700)

    const secrets: Secrets = {
      ...(await ownSecrets(running, lab)),
      token,
      password: login.password,
      login: `${login.username}:${login.password}`,
      ofOperator,
    }
    const { 'the environment of the operator': environment = '', ...during } = await shownBy(running)
    expect(leaksIn({ environment }, { ofOperator })).not.toEqual([]) // where it was put
    expect(leaksIn(during, secrets)).toEqual([])

    plugin.goesOn()
    await lab.ready(credential)
    expect(await lab.logins(namespace)).toEqual({ [registry]: login })
    expect(disk.left()).toEqual([])
    for (const [exitCode, told] of [
      [1, 'exit code 1'],
      [0, 'IssuerInvalid'],
    ] as const) {
      plugin.failsWith(exitCode)
      await refresh(credential, `fails-${exitCode}`)
      await eventually(async () =>
        expect(JSON.stringify((await lab.readCredential(credential)).status)).toContain(told),
      )
    }
    plugin.recovers()
    await refresh(credential, 'recovered')
    await eventually(async () =>
      expect(JSON.stringify((await lab.readCredential(credential)).status)).toContain('recovered'),
    )
    expect(disk.left()).toEqual([])

    plugin.waits()
    await refresh(credential, 'killed')
    const { home: last } = await waiting(running, disk)
    await running.kill()
    plugin.goesOn()
    // What is left is what the plugin itself has written, where nobody else may read.
    expect(
      disk
        .left()
        .map((file) => join(disk.env.TMPDIR, file))
        .sort(),
    ).toEqual([last, join(last, 'copy'), join(last, 'question')])
    expect(statSync(last).mode & 0o777).toBe(0o700)
    rmSync(last, { recursive: true })
    const after = { ...(await leftInCluster(lab, [namespace])), ...disk.written(), log: running.logs() }
    expect(after.log).toContain(credential)
    expect(leaksIn(after, secrets)).toEqual([])
  },
  RESTART_TIMEOUT_MS,
)
