/** The images that run, each with what there is to know of it. Pure. */
import { nameOf, parseImage } from '../../model/image.ts'
import { hasDigest, isTrusted } from '../../model/trusted.ts'
import type { Answer } from '../explain/told.ts'
import type { Coverage } from './coverage.ts'
import type { Seen, Tally } from './tally.ts'

export interface RunningImage {
  /** As pods write it. */
  image: string
  /** Undefined: it is no name of an image. */
  registry: string | undefined
  /** What names it; latest is the tag that is meant where there is none. */
  by: 'digest' | 'tag' | 'latest' | undefined
  /** Those that run, where that is known. */
  digests: string[]
  trusted: Answer
  /** Names of those that cover it in one of its namespaces; undefined: that is not known. */
  credentials: string[] | undefined
  pods: number
  namespaces: ImageNamespace[]
}

export interface ImageNamespace {
  name: string
  /** That use the image. */
  pods: number
  /** Those that cover it here. */
  credentials: readonly string[] | undefined
}

export interface Known {
  /** Undefined: the user may not read what tells it. */
  coverage: Coverage | undefined
  /** Names of registries and repositories; undefined: there is no such list, or the user may not read it. */
  trusted: readonly string[] | undefined
}

/** By image. */
export function runningImages(tally: Tally, known: Known): RunningImage[] {
  return [...tally].map(([image, seen]) => running(image, seen, known)).sort((a, b) => (a.image < b.image ? -1 : 1))
}

function running(image: string, seen: Seen, { coverage, trusted }: Known): RunningImage {
  const parsed = parseImage(image)
  const credentialsIn = (namespace: string) => coverage && (parsed ? coverage(namespace, nameOf(parsed)) : [])
  const namespaces = [...seen.pods]
    .map(([name, pods]) => ({ name, pods, credentials: credentialsIn(name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    image,
    registry: parsed?.registry,
    by: hasDigest(image) ? 'digest' : parsed && (parsed.reference === 'latest' ? 'latest' : 'tag'),
    digests: [...seen.digests].sort(),
    trusted: trusted === undefined ? 'unknown' : isTrusted(image, trusted) ? 'yes' : 'no',
    credentials: coverage && [...new Set(namespaces.flatMap(({ credentials = [] }) => credentials))].sort(),
    pods: namespaces.reduce((sum, { pods }) => sum + pods, 0),
    namespaces,
  }
}

/** Where it runs and no credential covers it; none where that is not known. */
export function uncovered({ namespaces }: RunningImage): string[] {
  return namespaces.filter(({ credentials }) => credentials?.length === 0).map(({ name }) => name)
}
