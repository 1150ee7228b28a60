/** Faults of the API server and of etcd: see server-faults.ts. */
import { serverFaults } from './server-faults.ts'
import { testFaults } from './sustain.ts'

testFaults(serverFaults)
