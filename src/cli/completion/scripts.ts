/** What shells run to complete `kubectl-regcred`; all of them ask it by `__complete`, as programs made with cobra are asked. */

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Bash takes words apart at `=`, which is undone first. */
const bash = `# bash completion for kubectl-regcred
_kubectl_regcred() {
  local word line directive
  local -a words=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ \${#words[@]} -gt 0 && ( $word == = || \${words[-1]} == -*= ) ]]; then words[-1]+=$word; else words+=("$word"); fi
  done
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :* ]]; then directive=\${line#:}; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
  done < <(kubectl-regcred __complete "\${words[@]}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 0 && $directive == 0 ]]; then compopt -o default; fi
}
complete -F _kubectl_regcred kubectl-regcred
`

const zsh = `#compdef kubectl-regcred
_kubectl_regcred() {
  local line directive
  local -a values
  while IFS= read -r line; do
    case $line in
      :*) directive=\${line#:} ;;
      *$'\\t'*) values+=("\${line%%$'\\t'*}:\${line#*$'\\t'}") ;;
      *) values+=("$line") ;;
    esac
  done < <(kubectl-regcred __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  compset -P '--*='
  if [[ \${#values} -eq 0 && $directive == 0 ]]; then _files; else _describe kubectl-regcred values; fi
}
compdef _kubectl_regcred kubectl-regcred
`

const fish = `# fish completion for kubectl-regcred
function __kubectl_regcred
  set -l current (commandline -ct)
  set -l words (commandline -opc) "$current"
  set -l flag (string match -r -- '^--.*?=' "$current")
  for line in (kubectl-regcred __complete $words[2..-1] 2>/dev/null)
    if test "$line" = :0
      for path in (__fish_complete_path (string replace -- "$flag" '' "$current"))
        echo -- "$flag$path"
      end
    else if not string match -q ':*' -- "$line"
      echo -- "$flag$line"
    end
  end
end
complete -c kubectl-regcred -f -a '(__kubectl_regcred)'
`

export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
