/** moto: a server that answers as AWS does, ECR and STS at least. It checks neither keys nor rights. */
import { findPython } from './moto-part.ts'
import { startPart } from './part-server.ts'
import { partDir } from './parts.ts'

export interface Moto {
  /** The endpoint of all its services. */
  url: string
  stop(): Promise<void>
}

/** Only where `partMissing('moto')` says nothing. */
export async function startMoto(): Promise<Moto> {
  const { port, stop } = await startPart({
    name: 'moto',
    binary: findPython().executable,
    configure: (_, port) => ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    env: { PYTHONPATH: partDir('moto') },
  })
  return { url: `http://127.0.0.1:${port}`, stop }
}
