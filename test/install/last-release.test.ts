/** Which release an upgrade is tried from. */
import { execFileSync } from 'node:child_process'
import { expect, test } from '@jest/globals'
import { temporaryFolders } from '../cluster/temporary.ts'
import { lastRelease } from './last-release.ts'

const folder = temporaryFolders()

test('it is the one before HEAD, not one that HEAD is, nor one of another branch, nor what is no release', () => {
  const repository = folder()
  const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, stdio: 'ignore' })
  const commit = (...tags: string[]) => {
    git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--allow-empty', '-m', 'one more')
    for (const tag of tags) git('tag', tag)
    return lastRelease(repository)
  }
  expect(lastRelease(repository)).toBeUndefined()
  git('init', '--initial-branch=main')
  expect(commit()).toBeUndefined()
  expect(commit('v0.1.0')).toBeUndefined()
  expect(commit('v0.2.0-rc.1', 'latest')).toBe('v0.1.0')
  expect(commit('v0.2.0')).toBe('v0.1.0')
  expect(commit()).toBe('v0.2.0')
  git('switch', '--create', 'other', 'v0.1.0')
  expect(commit('v0.1.1')).toBe('v0.1.0')
  git('switch', 'main')
  expect(commit()).toBe('v0.2.0')
})
