/** The chart as the workflow `image` publishes it: packaged with the version that is tagged, in a registry. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { helmWith } from '../parts/helm.ts'
import { startRegistry } from '../parts/registry.ts'
import { chart, deploymentOf, parseAll } from './chart.ts'

test('a chart that was pushed is pulled by its version or its digest, and installs the image of that version', async () => {
  const helm = helmWith()
  const registry = await startRegistry()
  const folder = mkdtempSync(join(tmpdir(), 'package-'))
  try {
    await helm('package', chart, '--version', '1.2.3', '--app-version', '1.2.3', '--destination', folder)
    const where = `oci://${registry.host}/charts`
    const pushed = await helm('push', join(folder, 'regcred-operator-1.2.3.tgz'), where, '--plain-http')
    const [, digest] = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(pushed) ?? [] // what the workflow signs
    for (const by of [[`${where}/regcred-operator`, '--version', '1.2.3'], [`${where}/regcred-operator@${digest}`]]) {
      const manifests = await helm('template', 'any', ...by, '--plain-http', '--namespace', 'regcred-system')
      const [container] = deploymentOf(parseAll(manifests)).spec.template.spec.containers
      expect(container.image).toBe('ghcr.io/regcred/regcred-operator:1.2.3')
    }
  } finally {
    rmSync(folder, { recursive: true })
    await registry.stop()
  }
})
