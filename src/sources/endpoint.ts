/** Where an issuer is asked. */

/** @param url of the server as in the spec, which may end in a path @param path without a leading slash */
export function endpointOf(url: string, path: string): URL {
  return new URL(path, url.endsWith('/') ? url : `${url}/`)
}
