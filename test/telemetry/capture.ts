/** A stream that keeps what was written to it, so that tests see exactly the bytes a terminal or a collector would. */
import { Writable } from 'node:stream'

export class Capture extends Writable {
  readonly isTTY: boolean
  text = ''

  constructor(isTTY = false) {
    super()
    this.isTTY = isTTY
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }

  /** Everything written, without the newline at the end. */
  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }

  /** The lines as JSON. */
  get records(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line))
  }
}
