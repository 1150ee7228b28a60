/** Faults of the operator's own process: see process-faults.ts. */
import { processFaults } from './process-faults.ts'
import { testFaults } from './sustain.ts'

testFaults(processFaults)
