/** Faults of what is around the operator in the cluster: see cluster-faults.ts. */
import { clusterFaults } from './cluster-faults.ts'
import { testFaults } from './sustain.ts'

testFaults(clusterFaults)
