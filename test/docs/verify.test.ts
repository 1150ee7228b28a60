/** docs/how-to/verify.md, word for word, where everything is as the workflow `image` leaves it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { jobOf } from '../ci/workflow.ts'
import { type Outcome, runWithStandIns, shellMissing } from '../support/stand-ins.ts'
import { root, snippetsOf } from './markdown.ts'

const digests = ['image', 'chart', 'base'].map((_, index) => `sha256:${String(index).repeat(64)}`)
const [image = '', chart = '', base = ''] = digests
const missing = shellMissing()
const describePage = missing === undefined ? describe : describe.skip

/** As BuildKit writes it, without what the page does not look at. */
const provenance = JSON.stringify({
  buildDefinition: {
    externalParameters: { configSource: { path: 'Dockerfile' } },
    resolvedDependencies: [
      {
        uri: 'pkg:docker/node@24-slim?platform=linux%2Famd64',
        digest: { sha256: base.replace('sha256:', '') },
      },
    ],
  },
})
const payload = (statement: object) => Buffer.from(JSON.stringify(statement)).toString('base64')
const packages = payload({ predicate: { components: [{ name: 'undici', version: '8.7.0' }] } })

const machine = {
  programs: {
    docker: `case "$*" in
      *Provenance*) echo '${provenance}';;
      *SBOM*) echo '{"spdxVersion":"SPDX-2.3"}';;
      *inspect*/charts/*Digest*) echo ${chart};;
      *inspect*Digest*) echo ${image};;
    esac`,
    cosign: `if [ "$1" = verify-attestation ]; then echo '{"payload":"${packages}"}'; fi`,
    gh: `if [ "$1" = release ]; then mkdir release; echo a > release/install.yaml; cd release; sha256sum -- * > SHA256SUMS; fi`,
    git: 'echo 1767323045',
    ...{ helm: '', kubectl: '', tar: '' },
  },
}

describePage(missing === undefined ? 'the page' : `the page (${missing})`, () => {
  let outcome: Outcome
  const page = join('docs', 'how-to', 'verify.md')
  beforeAll(() => {
    const shell = snippetsOf(page).flatMap(({ language, text }) => (language === 'sh' ? [text] : []))
    const script = shell
      .join('\n')
      .replace('repository=regcred/', 'repository=Acme/')
      .replace(/^version=.*$/m, 'version=1.2.3')
    outcome = runWithStandIns(script, machine)
  })
  const called = (...words: string[]) => outcome.calls.filter((call) => words.every((word) => call.includes(word)))

  test('is done to its end, of a fork whose owner has capital letters too', () => {
    expect([outcome.succeeds, outcome.output]).toEqual([true, expect.stringContaining('install.yaml: OK\n')])
  })

  test('asks for the identity that the workflow has at a tag, of everything that it signs', () => {
    const signer = 'https://github.com/Acme/regcred-operator/.github/workflows/image.yml@refs/tags/v1.2.3'
    const identity = `--certificate-identity=${signer} --certificate-oidc-issuer=https://token.actions.githubusercontent.com`
    expect(existsSync(join(root, '.github', 'workflows', 'image.yml'))).toBe(true)
    expect(called('cosign ')).toEqual([
      `cosign verify ghcr.io/acme/regcred-operator@${image} ${identity}`,
      `cosign verify-attestation ghcr.io/acme/regcred-operator@${image} --type cyclonedx ${identity}`,
      `cosign verify ghcr.io/acme/charts/regcred-operator@${chart} ${identity}`,
      `cosign verify-blob SHA256SUMS --bundle SHA256SUMS.sigstore.json ${identity}`,
    ])
    expect(jobOf('release').script).toContain('cosign sign-blob --yes --bundle SHA256SUMS.sigstore.json SHA256SUMS')
    const of = '--repo Acme/regcred-operator --source-ref refs/tags/v1.2.3'
    expect(called('gh attestation')).toEqual(
      [`oci://ghcr.io/acme/regcred-operator@${image}`, 'install.yaml'].map(
        (what) =>
          `gh attestation verify ${what} ${of} --signer-workflow Acme/regcred-operator/.github/workflows/image.yml`,
      ),
    )
  })

  test('installs what was verified, by its digest', () => {
    expect(called('helm install', `oci://ghcr.io/acme/charts/regcred-operator@${chart} `)).toEqual([
      expect.stringContaining(`--set image.repository=ghcr.io/acme/regcred-operator --set image.digest=${image}`),
    ])
  })

  test('shows the packages, and the images that the build began with by their digest', () => {
    expect(outcome.output).toContain('undici 8.7.0\n')
    expect(outcome.output).toContain(`pkg:docker/node@24-slim?platform=linux%2Famd64 ${base}\n`)
  })
})
