/**
 * The name of an image as pods write it.
 * Source: distribution/reference `normalize.go` (`ParseDockerRef`), which the kubelet and containerd use.
 */

export interface Image {
  /** host[:port]; `docker.io` where the name has none. */
  registry: string
  /** `library/nginx`, `acme/app`. */
  repository: string
  /** Tag or digest; a digest counts more, `latest` where there is neither. */
  reference: string
}

/** @returns undefined when it is not the name of an image in a registry */
export function parseImage(text: string): Image | undefined {
  const [, name = '', tag, digest] = /^(.+?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(text) ?? []
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const named = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  const registry = named ? first.toLowerCase().replace(/^index\.docker\.io$/, 'docker.io') : 'docker.io'
  const path = named ? name.slice(slash + 1) : name
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path
  if (!isHost(registry) || !isRepository(repository)) return undefined
  return { registry, repository, reference: digest ?? tag ?? 'latest' }
}

/** Registry and repository: what docker config keys are compared with. */
export function nameOf({ registry, repository }: Image): string {
  return `${registry}/${repository}`
}

function isHost(text: string): boolean {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)(:\d{1,5})?$/.test(text)
}

function isRepository(text: string): boolean {
  return (
    text.length <= 255 && /^[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*$/.test(text)
  )
}
