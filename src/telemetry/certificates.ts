/** What a TLS server shows: a private key, and the certificate of it, which is replaced while the server runs. */

/** PEM texts; `cert` may be followed by those that lead to its authority. */
export interface KeyPair {
  cert: string
  key: string
}

/** Gives the pair to begin with, and then calls `renewed` with each later one, until the signal. */
export type Certificates = (renewed: (pair: KeyPair) => void, signal: AbortSignal) => Promise<KeyPair>
