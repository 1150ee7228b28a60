import { describe, expect, test } from '@jest/globals'
import { isTrusted } from '../../src/model/trusted.ts'
import { maxLines, trustedLines } from '../../src/model/trusted-lines.ts'

describe('of the registries that credentials are for', () => {
  test.each([
    ['ghcr.io/acme/', 'ghcr.io/acme'],
    ['https://GHCR.io/v2/acme', 'ghcr.io/acme'],
    ['docker.io/acme', 'docker.io/acme'],
    ['https://index.docker.io/v1/acme/', 'docker.io/acme'],
    ['registry.example.com', 'registry.example.com'],
    ['registry.example.com:5000/team/app', 'registry.example.com:5000/team/app'],
    ['123456789012.dkr.ecr.eu-central-1.amazonaws.com', '123456789012.dkr.ecr.eu-central-1.amazonaws.com'],
    ['acme.azurecr.io', 'acme.azurecr.io'],
    ['europe-docker.pkg.dev/acme/images', 'europe-docker.pkg.dev/acme/images'],
    ['[fd00::1]:5000', '[fd00::1]:5000'],
    ['ghcr.io:443/acme', 'ghcr.io:443/acme'],
    ['acme-registry.cn-hangzhou.cr.aliyuncs.com', 'acme-registry.cn-hangzhou.cr.aliyuncs.com'],
    ['codeberg.org/acme', 'codeberg.org/acme'],
  ])('%s is the line %s, by which its images are trusted', (key, line) => {
    const { lines, leftOut } = trustedLines([key])
    expect([lines, leftOut]).toEqual([[line], []])
    expect(isTrusted(`${line}/below/image:1`, lines)).toBe(true)
  })

  test.each([
    ['https://index.docker.io/v1/'],
    ['ghcr.io'],
    ['quay.io'],
    ['public.ecr.aws'],
    ['registry.gitlab.com'],
    ['gcr.io'],
    ['eu.gcr.io'],
    ['europe-docker.pkg.dev'],
    ['us.icr.io'],
    ['fra.ocir.io'],
    ['nvcr.io'],
    ['registry.digitalocean.com'],
    ['private.us.icr.io'],
    ['jp2.icr.io'],
    ['ocir.eu-frankfurt-1.oci.oraclecloud.com'],
    ['registry.cn-hangzhou.aliyuncs.com'],
    ['ccr.ccs.tencentyun.com'],
    ['swr.eu-de.myhuaweicloud.com'],
    ['rg.fr-par.scw.cloud'],
    ['registry.fly.io'],
    ['codeberg.org'],
    ['ghcr.io:443'],
    ['registry-1.docker.io:443'],
    ['docker.io:443'],
    ['eu.gcr.io:443'],
    ['123456789012.dkr.ecr.*.amazonaws.com'],
    ['*.example.com/team'],
  ])('%s is left out, since it is everybody’s, or no prefix', (key) => {
    expect(trustedLines([key])).toEqual({ lines: [], leftOut: [key] })
  })

  test('what is no registry trusts nothing, and is not repeated: it may hold a password', () => {
    expect(trustedLines(['https://user:password@ghcr.io/acme', '', 'ghcr.io/acme:1'])).toEqual({
      lines: [],
      leftOut: [],
    })
  })

  test('lines are sorted, each is there once, and no more than the API server can look through', () => {
    expect(trustedLines(['ghcr.io/b/', 'ghcr.io/a', 'https://ghcr.io/b']).lines).toEqual(['ghcr.io/a', 'ghcr.io/b'])
    const { lines, leftOut } = trustedLines(Array.from({ length: maxLines + 2 }, (_, index) => `r${index}.example.com`))
    expect([lines.length, leftOut.length]).toEqual([maxLines, 2])
  })
})
