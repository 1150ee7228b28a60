/** Jest's globalTeardown: stops the control plane of the run. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.sharedClusterOfTheRun?.stop()
}
