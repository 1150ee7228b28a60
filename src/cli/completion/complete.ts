/**
 * What may stand where the cursor is, in cobra's protocol, which kubectl speaks with `kubectl_complete-…` of its plugins: a
 * line for each, with a tab and a description where there is one, then `:` and a directive.
 */
import type { Argument, Command, Option } from 'commander'
import { withConnection } from '../connection.ts'
import { type Candidates, candidatesOf } from './candidates.ts'

interface Completion {
  value: string
  description?: string
}

/** Cobra's ShellCompDirectiveDefault: where there is no line, files are completed. */
const files = 0
/** Cobra's ShellCompDirectiveNoFileComp. */
const noFiles = 4

/** For how long somebody waits who has pressed the tab key. */
const patience = '3s'

/** Where the cursor is. */
interface Place {
  command: Command
  /** Arguments before the cursor that are no flags and belong to the command. */
  position: number
  /** The flag whose value is being typed. */
  option: Option | undefined
  /** What has been typed of the word; of `--flag=value` the value alone, as in cobra's protocol. */
  typed: string
  /** The whole words before, of which commander can read the flags. */
  words: string[]
}

/** @param words those behind the program's name; the last one is being typed and may be empty */
export async function complete(program: Command, words: readonly string[]): Promise<string> {
  const place = placeOf(program, words)
  const { directive, completions } = await completionsAt(place, (candidates) => ask(program, place.words, candidates))
  const lines = completions
    .filter(({ value }) => value.startsWith(place.typed))
    .map(({ value, description }) => [value, ...(description ? [description] : [])].join('\t'))
  return [...lines, `:${directive}`, ''].join('\n')
}

/** With the flags that have been typed. Whatever goes wrong, a shell is not to see it: there is nothing to complete then. */
async function ask(program: Command, words: string[], candidates: Candidates): Promise<string[]> {
  try {
    program.parseOptions(words)
    program.setOptionValue('requestTimeout', patience)
    let found: string[] = []
    await withConnection(program, async (connection) => {
      found = await candidates(connection)
      return 0
    })
    return found
  } catch {
    return []
  }
}

async function completionsAt(
  { command, position, option, typed }: Place,
  ask: (candidates: Candidates) => Promise<string[]>,
): Promise<{ directive: number; completions: Completion[] }> {
  if (option !== undefined) {
    const isFile = option.flags.includes('<file>')
    return { directive: isFile ? files : noFiles, completions: await valuesOf(option, ask) }
  }
  if (typed.startsWith('-')) return { directive: noFiles, completions: flagsOf(command) }
  const { commands, registeredArguments } = command
  if (commands.length > 0) {
    const completions = commands.map((each) => ({ value: each.name(), description: each.description() }))
    return { directive: noFiles, completions }
  }
  const last = registeredArguments.at(-1)
  const argument = registeredArguments[position] ?? (last?.variadic ? last : undefined)
  return { directive: noFiles, completions: argument === undefined ? [] : await valuesOf(argument, ask) }
}

async function valuesOf(
  part: Argument | Option,
  ask: (candidates: Candidates) => Promise<string[]>,
): Promise<Completion[]> {
  const candidates = candidatesOf(part)
  const values = part.argChoices ?? (candidates === undefined ? [] : await ask(candidates))
  return values.map((value) => ({ value }))
}

function flagsOf(command: Command): Completion[] {
  return flagOptions(command).map(({ long, short, description }) => ({ value: long ?? short ?? '', description }))
}

/** Those of the command and of the program. */
function flagOptions(command: Command): Option[] {
  const options = command.createHelp().visibleOptions(command)
  return command.parent === null ? options : [...options, ...command.parent.options]
}

function placeOf(program: Command, words: readonly string[]): Place {
  let command = program
  let position = 0
  let option: Option | undefined
  for (const word of words.slice(0, -1)) {
    if (option !== undefined) option = undefined
    else if (word.startsWith('-')) option = valueFlag(command, word)
    else if (command.commands.length === 0) position++
    else command = command.commands.find((each) => each.name() === word) ?? command
  }
  const word = words.at(-1) ?? ''
  const earlier = words.slice(0, option === undefined ? -1 : -2)
  const place = { command, position, option, typed: word, words: earlier }
  const [, flag = '', typed = ''] = /^(--[^=]+=)(.*)$/s.exec(word) ?? []
  if (option !== undefined || flag === '') return place
  return { ...place, option: optionNamed(command, flag.slice(0, -1)), typed }
}

/** The flag that the next word is the value of. */
function valueFlag(command: Command, word: string): Option | undefined {
  const option = optionNamed(command, word)
  return option?.required ? option : undefined
}

function optionNamed(command: Command, name: string): Option | undefined {
  return flagOptions(command).find(({ long, short }) => long === name || short === name)
}
