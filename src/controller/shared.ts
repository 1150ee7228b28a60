/**
 * Strings and lists that come anew with each object and are equal in most of them, kept once. Bounded: what has not come
 * for longest is forgotten here, which costs memory and nothing else when it comes again.
 */
import { remember } from '../kube/remember.ts'

const maxTexts = 4096
const maxLists = 128
/** Characters of what is kept here: longer ones would be of 800 credentials in one Secret, or of somebody who means harm. */
const maxTextLength = 256
const maxListLength = 32 * 1024

const none: readonly never[] = Object.freeze([])
const texts = new Map<string, string>()
/** By their JSON. */
const lists = new Map<string, readonly string[]>()

export function sharedText(text: string): string {
  if (text.length > maxTextLength) return text
  const shared = texts.get(text) ?? text
  remember(texts, shared, shared, maxTexts)
  return shared
}

/** Strings of a new list are read from its JSON: a part of another string would keep the whole of that alive. */
export function sharedList(list: readonly string[]): readonly string[] {
  if (list.length === 0) return none
  const json = JSON.stringify(list)
  if (json.length > maxListLength) return list
  const shared = lists.get(json) ?? (JSON.parse(json) as string[]).map(sharedText)
  remember(lists, json, shared, maxLists)
  return shared
}
