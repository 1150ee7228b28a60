/** The build as such is what every run of the other tests stands on; here are its surroundings, with a made-up `go`. */
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { build } from './build.ts'
import { missingFrom } from './locate.ts'
import { temporaryFolders } from './temporary.ts'
import { APPLETS, GO_VERSION, KUBERNETES_VERSION } from './versions.ts'

const folder = temporaryFolders()

/** An environment whose `go` is a shell script: `version` is what it calls itself, `compile` its `go build`. */
function withGo(version: string, compile: string): NodeJS.ProcessEnv {
  const bin = folder()
  const source = `#!/bin/sh
case $1 in
  env) echo "go${version}" ;;
  list) echo some/package ;;
  build) ${compile} ;;
esac
`
  writeFileSync(join(bin, 'go'), source, { mode: 0o755 })
  return { PATH: `${bin}${delimiter}${process.env.PATH}` }
}

// Writes what it was called with into the file behind -o.
const RECORD = `while [ "$1" != -o ]; do args="$args|$1"; shift; done; echo "$GOTOOLCHAIN$args" > "$2"; chmod +x "$2"`

test('one binary is built, with one link per applet', async () => {
  const into = folder()
  await build(into, () => {}, withGo(GO_VERSION, RECORD))
  expect(missingFrom(into)).toEqual([])
  expect(APPLETS.map((applet) => readlinkSync(join(into, applet)))).toEqual(APPLETS.map(() => 'control-plane'))
})

test('without Go a sentence says so', async () => {
  const nothing = { PATH: folder() }
  await expect(build(folder(), () => {}, nothing)).rejects.toThrow('Go is not installed')
})

test('a Go that is too old to fetch another toolchain is refused', async () => {
  const old = withGo('1.20.4', RECORD)
  await expect(build(folder(), () => {}, old)).rejects.toThrow(`the installed Go 1.20.4 is older than ${GO_VERSION}`)
})

test('a Go that can fetch the right toolchain is told to, and so is the user', async () => {
  const [into, said]: [string, string[]] = [folder(), []]
  await build(into, (line) => said.push(line), { ...withGo('1.22.1', RECORD), GOTOOLCHAIN: 'local' })
  expect(said[0]).toBe(`Go 1.22.1 is older than ${GO_VERSION}: letting it fetch that toolchain`)
  expect(readFileSync(join(into, 'control-plane'), 'utf8')).toMatch(/^auto\|/)
})

test('the binary is told its version', async () => {
  const into = folder()
  await build(into, () => {}, withGo(GO_VERSION, RECORD))
  const built = readFileSync(join(into, 'control-plane'), 'utf8')
  expect(built).toContain(`-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`)
})

test('a failed build shows the end of what Go said', async () => {
  const env = withGo(GO_VERSION, 'echo some/package; echo "main.go:7: no such thing" >&2; exit 1')
  await expect(build(folder(), () => {}, env)).rejects.toThrow(
    /^go build failed:\n(.*\n)* {2}main\.go:7: no such thing/,
  )
})
