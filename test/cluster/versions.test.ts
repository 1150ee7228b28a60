import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { chooseGoMod, pinned } from './versions.ts'

test('without a choice it is the go.mod of the module', () => {
  expect(chooseGoMod(undefined)).toBe(join(import.meta.dirname, 'control-plane', 'go.mod'))
  expect(chooseGoMod('')).toBe(chooseGoMod(undefined))
})

test('each file is for the Kubernetes that it is named after, is chosen by that, and replaces all of its modules alike', () => {
  const older = readdirSync(join(import.meta.dirname, 'control-plane')).filter((name) => /^v.*\.mod$/.test(name))
  expect(older).toEqual(['v1.34.mod', 'v1.35.mod', 'v1.36.mod'])
  for (const name of older) {
    const line = name.slice(1, -'.mod'.length)
    const goMod = chooseGoMod(line)
    expect(basename(goMod)).toBe(name)
    const version = pinned(goMod, /^\s*k8s\.io\/kubernetes (v\S+)$/m)
    expect(version).toMatch(new RegExp(`^v${line}\\.\\d+$`))
    expect(pinned(goMod, /^\tk8s\.io\/apiserver => k8s\.io\/apiserver (v\S+)$/m)).toBe(version.replace('v1.', 'v0.'))
  }
})

test('a choice that there is not is refused with those that there are', () => {
  expect(() => chooseGoMod('1.12')).toThrow('REGCRED_TEST_KUBERNETES is "1.12"; there are 1.34, 1.35, 1.36, 1.37')
  expect(() => chooseGoMod('v1.36')).toThrow('there are 1.34, 1.35, 1.36, 1.37')
})

test('a file without the version that is asked for says which', () => {
  expect(() => pinned(chooseGoMod('1.36'), /^nothing (\S+)$/m)).toThrow(/v1\.36\.mod has no line that matches/)
})
