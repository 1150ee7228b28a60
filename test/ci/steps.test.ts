/** What the workflow `image` runs, as GitHub runs it, with stand-ins for all that reaches out of the machine. */
import { describe, expect, test } from '@jest/globals'
import { runWithStandIns as run, shellMissing } from '../support/stand-ins.ts'
import { scriptWith, workflows } from './workflow.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const missing = shellMissing()
const describeSteps = missing === undefined ? describe : describe.skip

test('the shell stops at whatever fails, in the middle of a pipe too', () => {
  const publishing = workflows.filter(({ jobs }) => 'release' in jobs)
  expect(publishing.map(({ defaults }) => defaults)).toEqual([{ run: { shell: 'bash' } }])
})

describeSteps(missing === undefined ? 'the steps' : `the steps (${missing})`, () => {
  test('a tag is published only of a tested commit, as the version of package.json that CHANGELOG.md has notes of, dated, and once', () => {
    const succeeds = (tag: string, changelog: string, releases = 'echo v1.2.2; echo v1.2.30', tested = 'echo 1') =>
      run(scriptWith('build', 'CHANGELOG.md'), {
        programs: {
          gh: `case "$*" in "run list "*"--commit 4f5e"*) ${tested};; "release list"*) ${releases};; *) exit 2;; esac`,
        },
        files: { 'package.json': '{"version":"1.2.3"}', 'CHANGELOG.md': changelog },
        env: { GITHUB_REF_NAME: tag, GITHUB_SHA: '4f5e' },
      }).succeeds
    const dated = '# Changelog\n\n## [1.2.3] - 2026-01-02\n'
    expect(succeeds('v1.2.3', dated)).toBe(true)
    expect(succeeds('v1.2.4', dated)).toBe(false)
    expect(succeeds('v1.2.3', '## [Unreleased]\n\n## [1.2.2] - 2026-01-02\n')).toBe(false)
    expect(succeeds('v1.2.3', '## [1.2.3] - soon\n')).toBe(false)
    expect(succeeds('v1.2.3', dated, 'echo v1.2.2; echo v1.2.3')).toBe(false)
    expect(succeeds('v1.2.3', dated, 'exit 1')).toBe(false)
    expect(succeeds('v1.2.3', dated, undefined, 'echo 0')).toBe(false)
    expect(succeeds('v1.2.3', dated, undefined, 'exit 1')).toBe(false)
    expect(succeeds('v1.2.3', dated, undefined, 'true')).toBe(false)
  })

  describe('an image is looked at when it is pushed:', () => {
    const manifests = ['amd64', 'arm64'].map((architecture) => ({
      digest: `sha256:${architecture}`,
      platform: { architecture },
    }))
    const attestation = { digest: 'sha256:none', platform: { architecture: 'unknown' } }
    const index = JSON.stringify({ manifests: [...manifests, attestation] })
    /** @param sizes of the layers of each platform */
    const look = (sizes: { amd64: number; arm64: number }, program = 'exit 127') =>
      run(scriptWith('build', 'imagetools'), {
        programs: {
          docker: `case "$*" in
            *inspect*@sha256:amd64) echo '{"layers":[{"size":1},{"size":${sizes.amd64}}]}';;
            *inspect*@sha256:arm64) echo '{"layers":[{"size":1},{"size":${sizes.arm64}}]}';;
            *inspect*@${digest}) echo '${index}';;
            *inspect*) exit 1;;
            *--version) echo 1.2.3;;
            *) ${program};;
          esac`,
        },
        env: { IMAGE: 'ghcr.io/acme/regcred-operator', DIGEST: digest, GITHUB_STEP_SUMMARY: '/dev/null' },
      })

    test('it has to be small on both platforms, and its size is told', () => {
      const { succeeds, output } = look({ amd64: 50_000_000, arm64: 51_000_000 })
      expect([succeeds, output]).toEqual([
        true,
        'amd64: 50000001 bytes, compressed\narm64: 51000001 bytes, compressed\n1.2.3\n',
      ])
      expect(look({ amd64: 60_000_000, arm64: 50_000_000 }).succeeds).toBe(false)
      expect(look({ amd64: 50_000_000, arm64: 60_000_000 }).succeeds).toBe(false)
    })

    test('it must not have a shell', () => {
      const { succeeds, calls } = look({ amd64: 1, arm64: 1 }, 'exit 0')
      expect(succeeds).toBe(false)
      expect(calls.at(-1)).toBe(`docker run --rm --entrypoint sh ghcr.io/acme/regcred-operator@${digest} -c true`)
    })
  })

  describe('the signature of an image and the list of its packages', () => {
    const signature = 'https://sigstore.dev/cosign/sign/v1'
    /** A registry that shows what is added to it at the second look, and of which two may go into one another's way. */
    const cosign = (attest: string) => `add() { echo "$1" >> added; echo "$1" > new; }
      case "$1" in
        sign) add ${signature};;
        attest) ${attest};;
        verify-attestation)
          if [ -s new ]; then : > new; exit 1; fi
          grep -Fqx "$4" added;;
      esac`
    const sign = (attest: string) =>
      run(scriptWith('sign', 'cosign sign'), {
        programs: { cosign: cosign(attest), sleep: 'true' },
        env: {
          DIGEST: digest,
          GITHUB_REPOSITORY: 'Acme/regcred-operator',
          GITHUB_SERVER_URL: 'https://github.com',
          GITHUB_WORKFLOW_REF: 'Acme/regcred-operator/.github/workflows/image.yml@refs/tags/v1.2.3',
        },
      })

    test('are there in the end, to be verified as docs/how-to/verify.md does, one added after the other', () => {
      const { succeeds, calls } = sign('add cyclonedx')
      expect(succeeds).toBe(true)
      const image = `ghcr.io/acme/regcred-operator@${digest}`
      const signer = 'https://github.com/Acme/regcred-operator/.github/workflows/image.yml@refs/tags/v1.2.3'
      const identity = `--certificate-identity=${signer} --certificate-oidc-issuer=https://token.actions.githubusercontent.com`
      const verify = (type: string) => `cosign verify-attestation ${image} --type ${type} ${identity}`
      expect(calls).toEqual([
        `cosign sign --yes ${image}`,
        ...[verify(signature), 'sleep 5', verify(signature)],
        `cosign attest --yes --type cyclonedx --predicate regcred-operator.cdx.json ${image}`,
        ...[verify('cyclonedx'), 'sleep 5', verify('cyclonedx'), verify(signature)],
      ])
    })

    test.each([
      { what: 'the second has taken the place of the first', attest: ': > added; add cyclonedx' },
      { what: 'the second is lost', attest: 'true' },
      { what: 'the second cannot be made', attest: 'exit 1' },
    ])('stop the release when $what', ({ attest }) => {
      expect(sign(attest).succeeds).toBe(false)
    })
  })

  describe('the chart', () => {
    const publish = (push: string) =>
      run(scriptWith('chart', 'helm push'), {
        programs: { helm: `case "$1" in push) ${push};; esac`, cosign: 'true' },
        env: { GITHUB_REF_NAME: 'v1.2.3', GITHUB_REPOSITORY_OWNER: 'Acme' },
      })

    test('is signed by the digest that Helm has pushed, in the version that is tagged', () => {
      const { succeeds, calls } = publish(`echo 'Pushed: a' >&2; echo 'Digest: ${digest}' >&2`)
      expect(succeeds).toBe(true)
      expect(calls).toEqual([
        'helm package charts/regcred-operator --version 1.2.3 --app-version 1.2.3',
        'helm push regcred-operator-1.2.3.tgz oci://ghcr.io/acme/charts',
        `cosign sign --yes ghcr.io/acme/charts/regcred-operator@${digest}`,
      ])
    })

    test('is not signed when it could not be pushed, and Helm’s reason is seen', () => {
      const { succeeds, output, calls } = publish(`echo 'Error: denied' >&2; exit 1`)
      expect([succeeds, output]).toEqual([false, 'Error: denied\n'])
      expect(calls.filter((call) => call.startsWith('cosign'))).toEqual([])
    })
  })

  test('SHA256SUMS has the sum of every file but those that are made of it', () => {
    const { succeeds, output, calls } = run(`${scriptWith('release', 'sha256sum')}\nsha256sum --check SHA256SUMS`, {
      programs: { cosign: 'true' },
      files: { 'install.yaml': 'a', 'chart-1.2.3.tgz': 'b' },
    })
    expect(succeeds).toBe(true)
    expect(output).toContain('chart-1.2.3.tgz: OK\n')
    expect(output).toContain('install.yaml: OK\n')
    expect(calls).toEqual(['cosign sign-blob --yes --bundle SHA256SUMS.sigstore.json SHA256SUMS'])
  })
})
