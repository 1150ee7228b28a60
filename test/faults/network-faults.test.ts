/** Faults of the network and of single answers: see network-faults.ts. */
import { networkFaults } from './network-faults.ts'
import { testFaults } from './sustain.ts'

testFaults(networkFaults)
