/** Harbor takes the secret that the operator makes for a robot account of a project. */
import type { SourceCase } from './contract.ts'
import { Harbor } from './harbor-server.ts'

const name = 'robot$acme+pull'
let harbor: Harbor

export const harborCase: SourceCase<'harbor'> = {
  kind: 'harbor',
  issuer(wish) {
    harbor = new Harbor()
    return (request) => {
      harbor.acme.splice(0, 1, { id: 3, name, disable: false, expires_at: wish().expiresAt.getTime() / 1000 })
      return harbor.answer(request)
    }
  },
  spec: (url) => ({ url, robots: [name], secretRef: { name: 'harbor' } }),
  secrets: { harbor: { username: 'acme-robots', password: 'example-password' } },
  expected: (_, url) => new Map([[new URL(url).host, { username: name, password: harbor.secrets.get(name) ?? '' }]]),
  tellsExpiry: true,
  exempt: {
    'answers without what is needed': 'all that is needed of its last answer is that it is one',
    'gives a login that has ended': 'a robot account that has expired is refused before it gets a new secret',
  },
}
