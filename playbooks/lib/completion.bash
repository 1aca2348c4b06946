# Completion of ./deploy.sh in bash: source <(./deploy.sh completion bash)
_deploy_sh() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} choices="-i -e --check --diff --tags --limit -v"
  if ((COMP_CWORD == 1)) || [[ $before == help ]]; then
    choices="@VERBS@"
  elif [[ $before == --client ]]; then
    choices="sdk claude-code codex ca"
  elif [[ ${COMP_WORDS[1]} == env && $before != -i ]]; then
    choices="--client -i"
  elif [[ ${COMP_WORDS[1]} == client && $COMP_CWORD == 2 ]]; then
    choices="add rotate remove list"
  elif [[ $before == -i ]]; then
    choices=$(cd "$(dirname "${COMP_WORDS[0]}")" && printf '%s ' inventory/*)
  fi
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _deploy_sh deploy.sh ./deploy.sh
