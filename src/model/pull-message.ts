/**
 * Why an image cannot be pulled, as far as logins are to blame, from what the kubelet and the container runtime say. Their
 * words are no API: the texts are those of containerd 1.6 and 2.x, CRI-O, Docker, and the registries behind them.
 */

/**
 * - missing: no login was shown that the registry takes for this image. containerd 1.6 says the same of a wrong one.
 * - refused: a login was shown, and is wrong, has ended, or has no right to the image.
 * - malformed: the kubelet cannot read one of the pod's pull Secrets, and pulls nothing.
 */
export type PullCause = 'missing' | 'refused' | 'malformed'

/** A longer message is cut: anybody who may write the status of a pod chooses it. */
const maxLength = 4096

const pullReasons = new Set(['ErrImagePull', 'ImagePullBackOff'])

/** The kubelet passes Go's errors on, as message and even as reason (`DockerConfigEntry.UnmarshalJSON`). */
const malformed = [
  /^illegal base64 data at input byte \d+$/i,
  /unable to parse auth field, must be formatted as base64\(username:password\)/i,
  /json: cannot unmarshal .*dockerconfig/i,
]

/** No login helps. Many of these come in the midst of a sentence about authorization, so they count first. */
const notCredentials =
  /\b429\b|too ?many ?requests|rate limit|not found|(manifest|name)[ _]unknown|x509|certificate|tls:|dial tcp|no such host|timeout|deadline exceeded|connection (refused|reset)|network is unreachable|no route to host|\beof\b|no match(ing manifest)? for|no space left|\b50\d\b/i

/** What was shown was nothing. */
const anonymous = /fetch anonymous token\b.*\b40[13]\b/i

const refused =
  /fetch oauth token\b.*\b40[13]\b|incorrect username or password|invalid username\/password|token has expired|not authorized to perform|unexpected status\b.*\b40[13]\b|\b403 forbidden\b/i

const missing =
  /pull access denied|may require authorization|insufficient_scope|no basic auth credentials|unauthorized|authentication required|(?<!permission )\bdenied\b/i

/**
 * @param reason of a container's `state.waiting`
 * @returns undefined when it waits for something else, or no login is to blame
 */
export function causeOf(reason: string, message: string): PullCause | undefined {
  const texts = [reason, message].map((text) => text.slice(0, maxLength).trim())
  if (texts.some((text) => malformed.some((pattern) => pattern.test(text)))) return 'malformed'
  if (!pullReasons.has(reason)) return undefined
  const words = withoutNames(texts[1] ?? '')
  if (notCredentials.test(words)) return undefined
  if (anonymous.test(words)) return 'missing'
  if (refused.test(words)) return 'refused'
  return missing.test(words) ? 'missing' : undefined
}

/** An image or a URL may be called anything, such as `acme/denied:429`. */
function withoutNames(message: string): string {
  return message.replaceAll(/"[^"]*"|\b\w+:\/\/\S+|\bhost \S+|\[manifests [^\]]*\]|\bmanifest \S+ in \S+/gi, ' ')
}
