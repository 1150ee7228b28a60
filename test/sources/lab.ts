/** What sources need around them: a namespace of the real API server that plays the operator's, and the way out. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sourceContexts } from '../../src/controller/source-context.ts'
import { Outbound } from '../../src/http/outbound.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import type { Handle } from '../../src/model/login.ts'
import type { SourceContext, SourceSettings } from '../../src/sources/source.ts'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { atEnd, freshNamespace, manager, openClient } from '../kube/setup.ts'
import { credential } from '../model/builders.ts'
import { type Handler, type IssuerServer, startIssuer } from './issuer-server.ts'

export interface ContextOptions {
  /** Name of the credential; its uid follows from it. */
  name?: string
  registries?: readonly string[] | undefined
  handle?: Handle | undefined
  settings?: Partial<SourceSettings> | undefined
}

/** Certificate and key in PEM. */
interface Tls {
  cert: string
  key: string
}

export class SourceLab {
  /** Of an issuer that is trusted. */
  readonly tls: Tls
  /** All that a source has told to be secret, or that was told for it. */
  readonly concealed = new Set<string>()
  readonly #client: KubeClient
  readonly #namespace: string
  readonly #outbound: Outbound

  /** Taken away again after the tests of the file. */
  static async open(): Promise<SourceLab> {
    const client = openClient()
    const authority = createAuthority('issuers of the test')
    const { certificate: cert, key } = serverCertificate(authority, 'issuer')
    const folder = await mkdtemp(join(tmpdir(), 'source-lab-'))
    atEnd(() => rm(folder, { recursive: true }))
    const caFile = join(folder, 'ca.crt')
    await writeFile(caFile, authority.certificate)
    return new SourceLab(client, await freshNamespace(client), caFile, { cert, key })
  }

  private constructor(client: KubeClient, namespace: string, caFile: string, tls: Tls) {
    this.tls = tls
    this.#client = client
    this.#namespace = namespace
    this.#outbound = new Outbound({ caFiles: [caFile], insecureHosts: [], env: {} })
    atEnd(() => this.#outbound.close())
  }

  /** @param texts key → text */
  async secret(
    name: string,
    texts: Readonly<Record<string, string>>,
    { type = 'Opaque', annotations = {} }: { type?: string; annotations?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    await this.#create('secrets', { metadata: { name, annotations }, type, stringData: texts })
  }

  async serviceAccount(name: string, annotations: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#create('serviceaccounts', { metadata: { name, annotations } })
  }

  async issuer(answer: Handler, tls?: Tls): Promise<IssuerServer> {
    const issuer = await startIssuer(answer, tls)
    atEnd(() => issuer.stop())
    return issuer
  }

  context({ name = 'tested', registries, handle, settings: set }: ContextOptions = {}): SourceContext {
    const { fetch, metadataFetch } = this.#outbound
    const settings = { filesDir: undefined, execPluginDir: undefined, execPluginEnv: [], ...set }
    const conceal = (...secrets: readonly string[]) => {
      for (const secret of secrets) this.concealed.add(secret)
    }
    const contextOf = sourceContexts(this.#client, this.#namespace, { settings, fetch, metadataFetch, conceal })
    return contextOf({ ...credential(name), registries }, handle)
  }

  async #create(collection: string, object: object): Promise<void> {
    await this.#client.create(`/api/v1/namespaces/${this.#namespace}/${collection}`, object, manager)
  }
}
