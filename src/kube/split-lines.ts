/** Cuts chunks of bytes into lines: a watch is one JSON document a line. */

const newline = 0x0a

/** Works on bytes, so that a character that two chunks share stays whole. An unfinished last line is never told. */
export class LineSplitter {
  #unfinished: Buffer[] = []

  /** @returns the lines that end in this chunk, the next of the stream */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      if (this.#unfinished.length === 0) {
        lines.push(chunk.toString('utf8', start, end))
      } else {
        this.#unfinished.push(chunk.subarray(start, end))
        lines.push(Buffer.concat(this.#unfinished).toString('utf8'))
        this.#unfinished = []
      }
      start = end + 1
    }
    if (start < chunk.length) this.#unfinished.push(chunk.subarray(start))
    return lines
  }
}
