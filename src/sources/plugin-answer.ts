/** What plugins of both protocols have in common in how they end. */
import { unusable } from './issuer.ts'
import type { PluginEnd } from './plugin-process.ts'
import { SourceProblem } from './source-problem.ts'

/** Seconds: what it refuses it gives only after somebody has changed something. */
const refusedRetrySeconds = 60

/** What people call it, at the start of a sentence. */
export function nameOf(plugin: string): string {
  return `Plugin ${plugin}`
}

/** The JSON object that a plugin wrote. @throws SourceProblem */
export function answerOf({ exitCode, stdout }: PluginEnd, plugin: string): Record<string, unknown> {
  if (exitCode !== 0) {
    throw new SourceProblem(
      'IssuerUnavailable',
      `${nameOf(plugin)} ended with exit code ${exitCode}. What it wrote is not shown, since it may hold secrets; run it by hand to see it.`,
    )
  }
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(stdout))
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  } catch {
    // JSON.parse's own message quotes the text.
  }
  throw unusable(nameOf(plugin), 'on stdout is no JSON object')
}

/** @param asked the image or server */
export function gaveNothing(plugin: string, asked: string): SourceProblem {
  return new SourceProblem(
    'IssuerRefused',
    `${nameOf(plugin)} gave no credentials for ${asked}; check its rights and source.exec.for.`,
    refusedRetrySeconds,
  )
}
