import { describe, expect, test } from '@jest/globals'
import { resourceOf } from '../../src/telemetry/api-resource.ts'

describe('a request is about a resource', () => {
  test.each([
    ['/api/v1/namespaces', 'namespaces'],
    ['/api/v1/namespaces/team', 'namespaces'],
    ['/api/v1/namespaces/team/status', 'namespaces/status'],
    ['/api/v1/namespaces?watch=true&resourceVersion=7', 'namespaces'],
    ['/api/v1/secrets?limit=500&watch=0', 'secrets'],
    ['/api/v1/namespaces/team/secrets', 'secrets'],
    ['/api/v1/namespaces/team/secrets/regcred?x=y', 'secrets'],
    ['/api/v1/namespaces/status/secrets/regcred', 'secrets'],
    ['/api/v1/namespaces/team/serviceaccounts/default/token', 'serviceaccounts/token'],
    ['/api/v1/namespaces/team/pods/web-0/eviction', 'pods/eviction'],
    ['/apis/regcred.dev/v1/registrycredentials/hub/status', 'registrycredentials/status'],
    ['/apis/coordination.k8s.io/v1/namespaces/x/leases/y', 'leases'],
    ['https://127.0.0.1:6443/apis/regcred.dev/v1/registrycredentials', 'registrycredentials'],
    ['/version', 'other'],
    ['/apis/regcred.dev/v1', 'other'],
    ['', 'other'],
  ])('%s', (url, resource) => {
    expect(resourceOf(url)).toBe(resource)
  })
})

test('no name of an object or a namespace gets into it', () => {
  for (const name of ['team-blue', 'secrets', 'status', 'token', 'namespaces', 'a.b.c']) {
    const urls = [
      `/api/v1/namespaces/team-1/secrets/${name}`,
      `/api/v1/namespaces/${name}/secrets/x`,
      `/api/v1/namespaces/${name}/secrets`,
      `/apis/regcred.dev/v1/registrycredentials/${name}`,
      `/apis/regcred.dev/v1/registrycredentials/${name}/status`,
    ]
    const resources = ['secrets', 'secrets', 'secrets', 'registrycredentials', 'registrycredentials/status']
    expect(urls.map(resourceOf)).toEqual(resources)
  }
})
