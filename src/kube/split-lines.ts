/** Cuts a stream of chunks into lines: a watch is one JSON document a line. Works on bytes, so that a character that two chunks share stays whole. */

const newline = 0x0a

/** An unfinished last line (the connection ended in the middle of an event) is dropped. */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let unfinished: Buffer[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      if (unfinished.length === 0) {
        yield chunk.toString('utf8', start, end)
      } else {
        unfinished.push(chunk.subarray(start, end))
        yield Buffer.concat(unfinished).toString('utf8')
        unfinished = []
      }
      start = end + 1
    }
    if (start < chunk.length) unfinished.push(chunk.subarray(start))
  }
}
