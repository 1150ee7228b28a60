/** What can become of the lines of a watch on their way: for `Interference` of test/kube/http-proxy.ts. */
import { setTimeout as sleep } from 'node:timers/promises'

type Lines = AsyncIterable<string>
type Text = AsyncGenerator<string, void, undefined>

/** Ends at once. */
export async function* nothing(): Text {
  yield ''
}

export async function* cutInHalf(lines: Lines): Text {
  for await (const line of lines) yield `${line.slice(0, line.length / 2)}\n`
}

/** How long to wait for a later event that can come before this one. */
const patienceMs = 200

/**
 * What comes together comes twice, the last first. Bookmarks stay where they are, at the end: they say that everything
 * before them has been told, and an API server that got this wrong would lose events for everybody.
 */
export async function* doubledAndReversed(lines: Lines): Text {
  const iterator = lines[Symbol.asyncIterator]()
  let next = iterator.next()
  for (;;) {
    const together: string[] = []
    let got: Awaited<typeof next> | undefined = await next
    while (got !== undefined && !got.done) {
      together.push(got.value)
      next = iterator.next()
      got = await Promise.race([next, sleep(patienceMs, undefined)])
    }
    const [bookmarks = [], events = []] = [true, false].map((is) => together.filter((line) => isBookmark(line) === is))
    for (const line of [...events.reverse(), ...bookmarks]) yield `${line}\n${line}\n`
    if (got?.done) return
  }
}

function isBookmark(line: string): boolean {
  return line.includes('"type":"BOOKMARK"')
}
