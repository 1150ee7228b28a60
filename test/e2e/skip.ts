/** Tests that need a node, on a machine that may be unable to be one. */
import { partMissing } from '../parts/parts.ts'
import { testWith } from '../parts/skip.ts'

const parts = ['kubelet', 'containerd'] as const

/** Why this machine can be no node; undefined when it can. */
export const nodeMissing = partMissing(...parts)

/** As `test`; skipped where this machine can be no node, and its name tells why. */
export const testOnNode = testWith(...parts)
