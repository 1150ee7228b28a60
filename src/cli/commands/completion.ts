/** `kubectl regcred completion`: the script by which a shell completes `kubectl-regcred`. */
import { Argument, type Command } from 'commander'
import { type Shell, scripts, shells } from '../completion/scripts.ts'
import { print } from '../output.ts'

const explanation = `
For "kubectl regcred" itself the completion of kubectl is enough, which runs kubectl_complete-regcred: a link to
kubectl-regcred, beside it on PATH.

  ln -s kubectl-regcred "$(dirname "$(command -v kubectl-regcred)")/kubectl_complete-regcred"

For "kubectl-regcred", load the script in your shell:

  source <(kubectl regcred completion bash)
  source <(kubectl regcred completion zsh)
  kubectl regcred completion fish | source`

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText('after', explanation)
    .action((shell: Shell) => print(scripts[shell]))
}
