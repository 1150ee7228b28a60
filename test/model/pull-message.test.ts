import { describe, expect, test } from '@jest/globals'
import { causeOf, type PullCause } from '../../src/model/pull-message.ts'

const unpack = (cause: string) =>
  `failed to pull and unpack image "127.0.0.1:26500/private/hello:1": failed to resolve reference "127.0.0.1:26500/private/hello:1": ${cause}`
const denied = 'pull access denied, repository does not exist or may require authorization'

type Row = [what: string, message: string, cause: PullCause | undefined]

// Seen on a real kubelet with containerd 1.6.20 and 2.4.2 (facts of the project), the others as their sources have them.
const rows: Row[] = [
  [
    'containerd 1.6 without a login, and with a wrong one',
    unpack('pulling from host 127.0.0.1:26500 failed with status code [manifests 1]: 401 Unauthorized'),
    'missing',
  ],
  [
    'containerd 2 without a login',
    `failed to resolve image: ${denied}: authorization failed: no basic auth credentials`,
    'missing',
  ],
  [
    'containerd 2 with a wrong password',
    'failed to resolve image: unexpected status from HEAD request to http://127.0.0.1:26500/v2/private/hello/manifests/1: 401 Unauthorized',
    'refused',
  ],
  [
    'token auth with a wrong password',
    'failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized',
    'refused',
  ],
  [
    'token auth that forbids',
    'failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://ghcr.io/token: 403 Forbidden',
    'refused',
  ],
  [
    'an anonymous token that is refused',
    unpack('failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized'),
    'missing',
  ],
  [
    'an anonymous token that is forbidden',
    'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fapp%3Apull&service=ghcr.io: 403 Forbidden',
    'missing',
  ],
  ['Docker Hub', unpack(`${denied}: server message: insufficient_scope: authorization failed`), 'missing'],
  ['ECR without a login', unpack(`${denied}: authorization failed: no basic auth credentials`), 'missing'],
  [
    'ECR with a token that has ended',
    'failed to resolve image: unexpected status from HEAD request to https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/v2/app/manifests/1: 403 Forbidden',
    'refused',
  ],
  ['ECR, in its own words', 'denied: Your authorization token has expired. Reauthenticate and try again.', 'refused'],
  [
    'ECR without the right',
    'denied: User: arn:aws:sts::123456789012:assumed-role/pull/s is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-central-1:123456789012:repository/app',
    'refused',
  ],
  [
    'Artifact Registry without the right',
    'denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on resource "projects/acme"',
    'missing',
  ],
  [
    'CRI-O at Docker Hub',
    'reading manifest 1 in docker.io/acme/app: errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required\n',
    'missing',
  ],
  [
    'CRI-O with a wrong password',
    'initializing source docker://quay.io/acme/app:1: unable to retrieve auth token: invalid username/password: unauthorized: Could not find robot',
    'refused',
  ],
  [
    'CRI-O at ghcr.io',
    'initializing source docker://ghcr.io/acme/app:1: reading manifest 1 in ghcr.io/acme/app: denied',
    'missing',
  ],
  [
    'Docker',
    "Error response from daemon: pull access denied for acme/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    'missing',
  ],
  [
    'Docker Hub, wrong password',
    'Head "https://registry-1.docker.io/v2/acme/app/manifests/1": unauthorized: incorrect username or password',
    'refused',
  ],

  [
    'too many pulls',
    unpack(
      'unexpected status from HEAD request to https://registry-1.docker.io/v2/acme/app/manifests/1: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit.',
    ),
    undefined,
  ],
  [
    'too many tokens',
    'failed to authorize: failed to fetch oauth token: unexpected status: 429 Too Many Requests',
    undefined,
  ],
  ['no such image', unpack('127.0.0.1:26500/private/hello:1: not found'), undefined],
  ['no such manifest', 'reading manifest 9 in ghcr.io/acme/app: manifest unknown', undefined],
  ['no such repository', "name unknown: The repository with name 'app' does not exist in the registry", undefined],
  [
    'a certificate',
    'failed to do request: Head "https://r.example.com/v2/app/manifests/1": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    undefined,
  ],
  [
    'no network',
    'failed to do request: Head "https://r.example.com/v2/": dial tcp 10.0.0.1:443: connect: connection refused',
    undefined,
  ],
  [
    'no network on the way to a token',
    'failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token?scope=x": dial tcp: lookup auth.docker.io: no such host',
    undefined,
  ],
  [
    'a timeout',
    'failed to authorize: failed to fetch oauth token: Post "https://ghcr.io/token": net/http: TLS handshake timeout',
    undefined,
  ],
  ['an i/o timeout', 'dial tcp 10.0.0.1:443: i/o timeout', undefined],
  ['a registry that is ill', 'failed to fetch oauth token: unexpected status: 503 Service Unavailable', undefined],
  ['another platform', 'no match for platform in manifest: not found', undefined],
  ['another platform, CRI-O', 'choosing image instance: no matching manifest for linux/arm64', undefined],
  ['a full disk', 'write /var/lib/containerd/x: no space left on device: unauthorized', undefined],
  [
    'a node that may not write its own files',
    unpack('failed to extract layer sha256:ab: mkdir /var/lib/containerd/tmp: permission denied: unknown'),
    undefined,
  ],
  ['words that nobody knows', 'something went wrong', undefined],
  ['no words', '', undefined],

  // What an image is called says nothing.
  ['an image called denied', unpack('something went wrong with "ghcr.io/acme/denied:401"'), undefined],
  [
    'a private image called 429',
    'unexpected status from HEAD request to https://ghcr.io/v2/acme/429/manifests/not-found: 401 Unauthorized',
    'refused',
  ],
  [
    'a private image with the tag 429',
    'pulling from host 127.0.0.1:26500 failed with status code [manifests 429]: 401 Unauthorized',
    'missing',
  ],
]

describe('what the runtime says', () => {
  test.each(rows)('%s', (_, message, cause) => {
    expect(causeOf('ErrImagePull', message)).toBe(cause)
    const backOff = `Back-off pulling image "127.0.0.1:26500/private/not-found:429": ErrImagePull: ${message}`
    expect(causeOf('ImagePullBackOff', backOff)).toBe(cause)
    expect(causeOf('ErrImagePull', message.toUpperCase())).toBe(cause)
  })

  test.each([
    'CreateContainerConfigError',
    'ContainerCreating',
    'ErrImageNeverPull',
    'RegistryUnavailable',
    'SignatureValidationFailed',
    '',
  ])('means nothing with the reason %s', (reason) => {
    expect(causeOf(reason, `${denied}: authorization failed: no basic auth credentials`)).toBeUndefined()
  })

  test('is read to a length', () => {
    expect(causeOf('ErrImagePull', `${'x '.repeat(3_000)}${denied}`)).toBeUndefined()
  })
})

describe('a pull Secret that the kubelet cannot read', () => {
  const errors = [
    'illegal base64 data at input byte 0',
    'unable to parse auth field, must be formatted as base64(username:password)',
    'json: cannot unmarshal number into Go struct field DockerConfigJSON.auths.username of type string',
  ]

  test.each(errors)('%s', (error) => {
    expect(causeOf(error, error)).toBe('malformed') // as the kubelet says it: reason and message
    expect(causeOf('ErrImagePull', error)).toBe('malformed')
    expect(causeOf('SomethingNew', error)).toBe('malformed')
  })

  test('is another matter than base64 in something else', () => {
    expect(causeOf('CreateContainerError', 'cannot decode x: illegal base64 data at input byte 0 in y')).toBeUndefined()
  })
})
