/** A Prometheus that scrapes and answers queries, and promtool, which checks what it is to read. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startPart } from './part-server.ts'
import { partDir } from './parts.ts'

export interface Sample {
  /** Labels, with `__name__` where it has one. */
  metric: Record<string, string>
  value: number
}

export interface Series {
  metric: Record<string, string>
  /** Seconds since the epoch, and the value then. */
  values: readonly (readonly [number, number])[]
}

export interface Prometheus {
  /** What a query gives now. Throws what Prometheus says of a wrong one. */
  query(expression: string): Promise<Sample[]>
  /** What it gave from `start` to `end`, in seconds since the epoch, every `step` seconds. */
  queryRange(expression: string, start: number, end: number, step: number): Promise<Series[]>
  stop(): Promise<void>
}

type Raw = { metric: Record<string, string>; value: [number, string]; values: [number, string][] }

/**
 * Only where `partMissing('prometheus')` says nothing. The first scrape comes some six seconds later.
 * @param config of Prometheus, in YAML or JSON
 */
export async function startPrometheus(config: string): Promise<Prometheus> {
  const { port, stop } = await startPart({
    name: 'prometheus',
    binary: join(partDir('prometheus'), 'prometheus'),
    configure: (dir, port) => {
      writeFileSync(join(dir, 'prometheus.yml'), config, { mode: 0o600 })
      const folder = ['--config.file=prometheus.yml', '--storage.tsdb.path=data']
      return [...folder, `--web.listen-address=127.0.0.1:${port}`]
    },
    env: {},
  })
  const ask = async (path: string, parameters: Record<string, string>): Promise<Raw[]> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const body = (await answer.json()) as { error?: string; data: { result: Raw[] } }
    if (body.error !== undefined) throw new Error(`${body.error}: ${parameters.query}`)
    return body.data.result
  }
  return {
    query: async (query) =>
      (await ask('query', { query })).map(({ metric, value: [, value] }) => ({ metric, value: Number(value) })),
    queryRange: async (query, start, end, step) =>
      (await ask('query_range', { query, start: `${start}`, end: `${end}`, step: `${step}` })).map(
        ({ metric, values }) => ({ metric, values: values.map(([time, value]) => [time, Number(value)] as const) }),
      ),
    stop,
  }
}

/** Runs promtool; its exit code and all that it prints. */
export function promtool(
  args: readonly string[],
  { stdin = '', cwd }: { stdin?: string; cwd?: string } = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(join(partDir('prometheus'), 'promtool'), args, { cwd }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr })
    })
    child.stdin?.end(stdin)
  })
}
