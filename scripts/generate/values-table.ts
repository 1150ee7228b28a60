/** The table of a chart's values, from the comments of values.yaml that begin with `--`, as helm-docs reads them. */
import { isMap, isScalar, parseDocument, stringify, type YAMLMap } from 'yaml'

/** Markdown. @throws where a value has no comment: each is explained by itself, or by that of a map which it is in */
export function valuesTable(values: string): string {
  const { contents } = parseDocument(values)
  if (!isMap(contents)) throw new Error('the values are no map')
  return ['| value | default | meaning |', '| --- | --- | --- |', ...rowsOf(contents, []), ''].join('\n')
}

function rowsOf(map: YAMLMap, above: string[]): string[] {
  return map.items.flatMap(({ key, value }, index) => {
    if (!isScalar(key)) throw new Error('a key of the values is no text')
    const path = [...above, String(key.value)]
    // What stands before the first key of a map belongs to the map, says the parser.
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? ''
    const [, meaning] = /(?:^|\n\n) -- (.*)$/s.exec(comment) ?? []
    if (meaning === undefined && isMap(value) && value.items.length > 0) return rowsOf(value, path)
    if (meaning === undefined) throw new Error(`the value ${path.join('.')} has no comment "# -- "`)
    const text = meaning.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')
    return `| \`${path.join('.')}\` | \`${flow(value)}\` | ${text} |`
  })
}

function flow(value: unknown): string {
  const options = { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 } as const
  return stringify(value, options).trim()
}
