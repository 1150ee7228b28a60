/**
 * Nothing outlives its owner.
 *
 * A guard is a tiny shell process in a session of its own. It reads the ids of
 * processes to guard from a pipe that only this process holds open for writing.
 * When this process ends, in whatever way (exit, crash, SIGINT, SIGKILL), the
 * kernel closes the pipe; the guard reads end of file, kills what is left, cleans
 * up and removes the temporary folder. No handler of ours has to run for that.
 */
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'

export interface Guard {
  /** Kill this process when the owner is gone. */
  watch(pid: number): void
  /** That process has ended by itself; its id may be used again by another one. */
  forget(pid: number): void
  /** Nothing is left to guard: the guard kills what it still watches, removes the folder and ends. */
  end(): void
}

// "$1" is the folder, "$2" a script, if any. SIGKILL, as these are throw-away processes.
const SCRIPT = `
pids=' '
while read -r verb pid; do
  case $verb in
    watch) pids="$pids$pid " ;;
    forget) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
eval "$2"
if [ -n "$1" ]; then rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }; fi
`

/** Starts a guard; `folder` is removed at the end, after what the shell script `cleanUp` does, to which the folder is `$1`. */
export function startGuard(folder = '', cleanUp = ''): Guard {
  // detached: a Ctrl-C at the terminal or a kill of our process group must not reach the guard.
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'regcred-guard', folder, cleanUp], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  child.unref()
  const pipe = child.stdin as Socket
  pipe.unref()
  // The guard itself was killed: guarding is over, which is no reason to crash.
  pipe.on('error', () => {})
  return {
    watch: (pid) => void pipe.write(`watch ${pid}\n`),
    forget: (pid) => void pipe.write(`forget ${pid}\n`),
    end: () => void pipe.end(),
  }
}
