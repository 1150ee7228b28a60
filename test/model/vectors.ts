/**
 * The golden vectors of the kubelet: made with its own keyring and docker config code, format in the head of each file.
 * Every line that is not a comment is one case.
 */
import { readFileSync } from 'node:fs'

export interface MatchVector {
  /** In JSON, so that white space shows in the name of a test. */
  spelling: string
  key: string
  image: string
  match: boolean
}

export interface OrderVector {
  name: string
  /** Pull Secrets in pod order, each a list of docker config key and username. */
  secrets: [string, string][][]
  image: string
  /** Usernames in the order tried. */
  want: string[]
}

export interface JsonVector {
  /** Whether the API server stores such a Secret. */
  stored: boolean
  /** Docker config key → username and password; undefined where the kubelet refuses the document. */
  entries: Record<string, [string, string]> | undefined
  /** The kubelet's reason to refuse it. */
  reason: string | undefined
  document: string
}

export const matchVectors: MatchVector[] = lines('keyring-vectors.txt').map((line) => {
  const [spelling = '', image = '', match = ''] = line.split('\t')
  return { spelling, key: JSON.parse(spelling), image, match: JSON.parse(match) }
})

export const orderVectors: OrderVector[] = lines('keyring-order.txt').map((line) => JSON.parse(line))

export const jsonVectors: JsonVector[] = lines('keyring-json.txt').map((line) => {
  const [apiServer, kubelet, result = '', ...document] = line.split('\t')
  return {
    stored: apiServer === 'accept',
    entries: kubelet === 'ok' ? JSON.parse(result) : undefined,
    reason: kubelet === 'ok' ? undefined : result,
    document: document.join('\t'),
  }
})

function lines(file: string): string[] {
  const text = readFileSync(new URL(`./vectors/${file}`, import.meta.url), 'utf8')
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
}
