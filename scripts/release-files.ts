/**
 * `node scripts/release-files.ts FOLDER IMAGE@DIGEST` makes the files of a release in FOLDER/files, and its notes,
 * FOLDER/notes.md. It needs kubectl and GNU tar, and in SOURCE_DATE_EPOCH the time of the commit, by which files are dated:
 * all but the list of packages come out the same again.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sectionOf } from './changelog.ts'

const root = join(import.meta.dirname, '..')
const [folder, image = ''] = process.argv.slice(2)
const { SOURCE_DATE_EPOCH: epoch = '' } = process.env
if (folder === undefined || !/^\d+$/.test(epoch) || !/@sha256:[0-9a-f]{64}$/.test(image)) {
  console.error('Usage: SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) node scripts/release-files.ts FOLDER IMAGE@DIGEST')
  process.exit(2)
}
const files = join(folder, 'files')
const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const output = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] })

/** config/default with the image that was built, by its digest: what is installed is what was signed. */
function manifests(): string {
  const [before = '', after, ...more] = output('kubectl', 'kustomize', join(root, 'config', 'default')).split(
    `image: ghcr.io/regcred/regcred-operator:${version}\n`,
  )
  if (after === undefined || more.length > 0)
    throw new Error('config/default has to name the image of this version once')
  return `${before}image: ${image}\n${after}`
}

/** The plugin under both names that kubectl looks for, as docs/reference/cli.md installs it. */
function packPlugin(archive: string): void {
  const temporary = mkdtempSync(join(tmpdir(), 'plugin-'))
  const path = (...names: string[]) => join(temporary, ...names)
  try {
    output(process.execPath, join(root, 'scripts', 'build.ts'), path('dist'))
    renameSync(path('dist', 'kubectl-regcred.mjs'), path('kubectl-regcred'))
    symlinkSync('kubectl-regcred', path('kubectl_complete-regcred'))
    cpSync(join(root, 'LICENSE'), path('LICENSE'))
    chmodSync(path('LICENSE'), 0o644)
    const same = ['--sort=name', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner']
    const names = ['LICENSE', 'kubectl-regcred', 'kubectl_complete-regcred']
    output('tar', ...same, '--use-compress-program=gzip -n', '-cf', archive, '-C', temporary, ...names)
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

const page = `https://github.com/${image.replace(/^[^/]+\/|@.*$/g, '')}/blob/v${version}/docs/how-to/verify.md`
const notes = `${sectionOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version)}

The image is \`${image}\`. [How to verify](${page}) it, the chart and these files before you install them.
`

mkdirSync(files, { recursive: true })
writeFileSync(join(files, 'install.yaml'), manifests())
cpSync(join(root, 'crds', 'registrycredentials.yaml'), join(files, 'crds.yaml'))
packPlugin(join(files, `kubectl-regcred-${version}.tar.gz`))
writeFileSync(join(files, 'regcred-operator.cdx.json'), output(process.execPath, join(root, 'scripts', 'sbom.ts')))
writeFileSync(join(folder, 'notes.md'), notes)
