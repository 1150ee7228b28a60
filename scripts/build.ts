/**
 * Bundles the operator into dist/regcred-operator.mjs, which needs nothing but Node, and a chunk beside it for each source,
 * which is read when that is first asked: the SDKs of the clouds cost memory. It takes a third less of that than the
 * sources with their packages, and the image has no node_modules. Without comments and white space, which cost memory too, but
 * with all names: stack traces name the classes and functions of the sources as they are.
 *
 * Beside it dist/kubectl-regcred.mjs, the plugin of kubectl: one file, which is all that its users need but Node.
 */
import { chmod, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BuildOptions, build, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const { positionals, values } = parseArgs({ allowPositionals: true, options: { 'source-maps': { type: 'boolean' } } })
/** The folder that is emptied and written; tests that run side by side have their own. */
const outdir = positionals[0] ?? join(root, 'dist')
/** Where esbuild's list of what went into which file is to be written. */
const metafile = positionals[1]

/** What stands in for a module that brings far more than is used of it, by what asks for it. */
const substitutes: Record<string, string> = {
  // client-node's generated API clients are 15 MB of code and 50 MiB of memory, and k8s-operator, being CommonJS, asks
  // for all of them. It makes one CoreV1Api in its constructor, which operator.ts never calls.
  '@kubernetes/client-node': `
    export { KubeConfig } from '@kubernetes/client-node/dist/config.js'
    export class CoreV1Api {}`,
  './gen/index.js': `
    export { createConfiguration } from '@kubernetes/client-node/dist/gen/configuration.js'
    export { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js'`,
  // Nothing: operator.ts replaces every method of k8s-operator that makes a request.
  gaxios: '',
  // undici's index has mocks, caches, WebSockets and retries as well.
  undici: `
    import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
    import * as api from 'undici/lib/api/index.js'
    Object.assign(Dispatcher.prototype, api) // as the index does
    export { default as Agent } from 'undici/lib/dispatcher/agent.js'
    export { default as Pool } from 'undici/lib/dispatcher/pool.js'
    export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js'
    export { fetch } from 'undici/lib/web/fetch/index.js'`,
  // HTTP/2, which is allowed nowhere, and brings Node's modules for it.
  './client-h2.js': '',
  // For an http.Agent that client-node makes beside what is asked of it, and nobody uses.
  'socks-proxy-agent': 'export class SocksProxyAgent {}',
  socks: 'export class SocksClient {}',
  // A parser of undici's that has to be asked for (UNDICI_USE_MILO).
  '../milo/simd.js': '',
  '../milo/no-simd.js': '',
}

/**
 * Node's own modules are got, not imported: for an import Node makes all at once that the module exports, such as the
 * WebSocket of node:http, with an undici of its own, or the WebCrypto of node:crypto.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    const namespace = 'builtin'
    onResolve({ filter: /./ }, ({ path }) => (isBuiltin(path) ? { path, namespace } : undefined))
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}')`,
    }))
  },
}

const slim: Plugin = {
  name: 'slim',
  setup({ onResolve, onLoad }) {
    const namespace = 'substitute'
    onResolve({ filter: /./ }, ({ path, importer }) => {
      if (!Object.hasOwn(substitutes, path)) return undefined
      return path === 'gaxios' && !importer.includes(join('@dot-i', 'k8s-operator')) ? undefined : { path, namespace }
    })
    onLoad({ filter: /./, namespace }, ({ path }) => ({ contents: substitutes[path] ?? '', resolveDir: root }))
  },
}

const common: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [slim, builtins],
  // A package of jest's that debug takes when it is there.
  external: ['supports-color'],
  // CommonJS packages within call require(), which an ES module does not have.
  banner: { js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)" },
  logLevel: 'info',
}

await rm(outdir, { recursive: true, force: true })
const operator = await build({
  ...common,
  entryPoints: { 'regcred-operator': join(root, 'src', 'main.ts') },
  outdir,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  // Beside it: one character of a name that is not ASCII, and V8 keeps two bytes for each of the bundle.
  legalComments: 'external',
  // For bench/profile.ts. The code does not name them, and so is the same with and without, but for the hashes of the chunks.
  sourcemap: values['source-maps'] ? 'external' : false,
  sourcesContent: false,
  metafile: true,
})
const pluginFile = join(outdir, 'kubectl-regcred.mjs')
const plugin = await build({
  ...common,
  entryPoints: [join(root, 'src', 'cli', 'main.ts')],
  outfile: pluginFile,
  legalComments: 'eof',
  metafile: true,
})
await chmod(pluginFile, 0o755)
if (metafile !== undefined) {
  const outputs = { ...operator.metafile.outputs, ...plugin.metafile.outputs }
  await writeFile(metafile, JSON.stringify({ outputs }))
}
