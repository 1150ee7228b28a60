/**
 * The operator as users install it, to try sources in: the bundle of the image, the RBAC of config/ with config/identities,
 * and issuers on loopback whose certificates it trusts.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { createAuthority, serverCertificate } from '../cluster/certificates.ts'
import { type OperatorOptions, type RunningOperator, startOperator } from '../cluster/operator.ts'
import { type Handler, type IssuerServer, startIssuer } from '../sources/issuer-server.ts'
import { type Lab, operatorNamespace } from './lab.ts'

export class Installation {
  readonly #lab: Lab
  readonly #folder = mkdtempSync(join(tmpdir(), 'regcred-test-'))
  readonly #caFile = join(this.#folder, 'ca.crt')
  /** As in the image, where everything that a source needs must be in the bundle. */
  readonly #bundle = join(this.#folder, 'bundle')
  readonly #tls: { cert: string; key: string }

  /** Builds the bundle; that takes seconds. @param lab of the cluster that it is installed in */
  constructor(lab: Lab) {
    this.#lab = lab
    const authority = createAuthority('issuers of the test')
    const { certificate: cert, key } = serverCertificate(authority, 'issuer')
    this.#tls = { cert, key }
    writeFileSync(this.#caFile, authority.certificate)
    execFileSync(process.execPath, [join('scripts', 'build.ts'), this.#bundle], { stdio: 'pipe' })
  }

  async issuer(answer: Handler, tls = false): Promise<IssuerServer> {
    return await startIssuer(answer, tls ? this.#tls : undefined)
  }

  /** As config/identities does it, for these ServiceAccounts. */
  async allowTokens(serviceAccounts: readonly string[]): Promise<void> {
    const component = await this.#lab.cluster.kubectl('kustomize', join('config', 'identities'))
    for (const document of parseAllDocuments(component)) {
      const object = document.toJS()
      if (object.kind === 'Role') object.rules[0].resourceNames = serviceAccounts
      await this.#lab.cluster.apply(JSON.stringify(object))
    }
  }

  /** Starts the operator. */
  async start({ env = {}, args = [] }: Pick<OperatorOptions, 'env' | 'args'>): Promise<RunningOperator> {
    return await startOperator({
      cluster: this.#lab.cluster,
      command: [process.execPath, join(this.#bundle, 'regcred-operator.mjs')],
      env,
      args: [`--ca-file=${this.#caFile}`, ...args],
    })
  }

  /** Takes away what it has added to the cluster and to this machine. */
  async remove(): Promise<void> {
    const identities = 'regcred-operator-identities'
    await this.#lab.cluster.kubectl('delete', '-n', operatorNamespace, 'role,rolebinding', identities)
    rmSync(this.#folder, { recursive: true })
  }
}
