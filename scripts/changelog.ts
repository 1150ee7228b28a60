/** CHANGELOG.md, as keepachangelog.com has it: a heading of the second level for each version, the newest first. */

/** What is said of a version, without its heading. Throws when nothing is. */
export function sectionOf(changelog: string, version: string): string {
  const [, ...sections] = changelog.split(/^## /m)
  const section = sections.find((each) => each.startsWith(`[${version}]`)) ?? ''
  const text = section.slice(section.indexOf('\n')).trim()
  if (text === '') throw new Error(`CHANGELOG.md says nothing of ${version}`)
  return text
}

/** What was unreleased becomes the version's; the next changes begin a new section. Throws when there are none. */
export function released(changelog: string, version: string, date: string): string {
  sectionOf(changelog, 'Unreleased')
  return changelog.replace('## [Unreleased]', `## [Unreleased]\n\n## [${version}] - ${date}`)
}
