/** Which credentials cover an image in a namespace: those whose login for it, by the kubelet's rule, is in a Secret there. */
import type { ObservedCredential } from '../../controller/observe.ts'
import { lookup } from '../../model/keyring.ts'
import { type Namespace, selectsNamespace } from '../../model/selection.ts'
import { mergedOf } from '../explain/keys.ts'
import type { HasLogin } from '../recognize.ts'

/** @param image normalised name without tag @returns names of credentials, sorted */
export type Coverage = (namespace: string, image: string) => readonly string[]

/** By the registries in the status of the credentials: what is in a Secret is not looked at. */
export function coverageOf(credentials: readonly ObservedCredential[], hasLogin: HasLogin): Coverage {
  // Most namespaces have the logins of the same credentials, and so one keyring.
  const keyringOf = remembering((names) => {
    const feeding = credentials.filter(({ name }) => names.split(',').includes(name))
    const secrets = [...Map.groupBy(feeding, ({ secretName }) => secretName).values()].map((each) => [
      ...mergedOf(each),
    ])
    return remembering((image) => [...new Set(lookup(secrets, image).map(({ username }) => username))].sort())
  })
  const keyringIn = remembering((namespace) => {
    const feeding = credentials.filter((credential) => hasLogin(credential, namespace))
    return keyringOf(feeding.map(({ name }) => name).join(','))
  })
  return (namespace, image) => keyringIn(namespace)(image)
}

/** For whom may not list Secrets: a login counts as being where its credential selects the namespace. */
export function selectedIn(namespaces: readonly Namespace[]): HasLogin {
  const known = new Map(namespaces.map((namespace) => [namespace.name, namespace]))
  return (credential, name) => {
    const namespace = known.get(name)
    return namespace !== undefined && !credential.deleting && selectsNamespace(credential, namespace)
  }
}

function remembering<Value>(make: (key: string) => Value): (key: string) => Value {
  const made = new Map<string, Value>()
  return (key) => {
    const value = made.get(key) ?? make(key)
    made.set(key, value)
    return value
  }
}
