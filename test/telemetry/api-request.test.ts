import { describe, expect, test } from '@jest/globals'
import { describeRequest } from '../../src/telemetry/api-request.ts'

describe('a request is described by verb and resource', () => {
  test.each([
    ['GET', '/api/v1/namespaces', 'list namespaces'],
    ['GET', '/api/v1/namespaces/team', 'get namespaces'],
    ['PUT', '/api/v1/namespaces/team/status', 'update namespaces/status'],
    ['GET', '/api/v1/namespaces?watch=true&resourceVersion=7', 'watch namespaces'],
    ['GET', '/api/v1/secrets?limit=500&watch=0', 'list secrets'],
    ['GET', '/api/v1/namespaces/team/secrets', 'list secrets'],
    ['get', '/api/v1/namespaces/team/secrets/regcred?x=y', 'get secrets'],
    ['PATCH', '/api/v1/namespaces/status/secrets/regcred', 'patch secrets'],
    ['POST', '/api/v1/namespaces/team/serviceaccounts/default/token', 'create serviceaccounts/token'],
    ['DELETE', '/api/v1/namespaces/team/secrets/regcred', 'delete secrets'],
    ['DELETE', '/api/v1/namespaces/team/secrets', 'deletecollection secrets'],
    ['PATCH', '/apis/regcred.dev/v1/registrycredentials/hub/status', 'patch registrycredentials/status'],
    ['PUT', '/apis/coordination.k8s.io/v1/namespaces/x/leases/y', 'update leases'],
    ['GET', 'https://127.0.0.1:6443/apis/regcred.dev/v1/registrycredentials', 'list registrycredentials'],
    ['GET', '/version', 'list other'],
    ['GET', '/apis/regcred.dev/v1', 'list other'],
    ['GET', '', 'list other'],
    ['OPTIONS', '/api/v1/pods/a', 'other pods'],
  ])('%s %s', (method, url, expected) => {
    const { verb, resource } = describeRequest(method, url)
    expect(`${verb} ${resource}`).toBe(expected)
  })
})

test('no name of an object or a namespace gets into the description', () => {
  for (const name of ['team-blue', 'secrets', 'status', 'token', 'namespaces', 'a.b.c']) {
    const urls = [
      `/api/v1/namespaces/team-1/secrets/${name}`,
      `/api/v1/namespaces/${name}/secrets/x`,
      `/api/v1/namespaces/${name}/secrets`,
      `/apis/regcred.dev/v1/registrycredentials/${name}`,
      `/apis/regcred.dev/v1/registrycredentials/${name}/status`,
    ]
    const resources = urls.map((url) => describeRequest('GET', url).resource)
    expect(resources).toEqual(['secrets', 'secrets', 'secrets', 'registrycredentials', 'registrycredentials/status'])
  }
})
