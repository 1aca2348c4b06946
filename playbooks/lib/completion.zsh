# Completion of ./deploy.sh in zsh: source <(./deploy.sh completion zsh)
_deploy_sh() {
  if ((CURRENT == 2)) || [[ $words[CURRENT-1] == help ]]; then
    compadd -- @VERBS@
  elif [[ $words[CURRENT-1] == --client ]]; then
    compadd -- sdk claude-code codex ca
  elif [[ $words[2] == env && $words[CURRENT-1] != -i ]]; then
    compadd -- --client -i
  elif [[ $words[2] == client ]] && ((CURRENT == 3)); then
    compadd -- add rotate remove list
  elif [[ $words[CURRENT-1] == -i ]]; then
    compadd -- $(cd "${words[1]:h}" && print -l inventory/*(/N))
  else
    compadd -- -i -e --check --diff --tags --limit -v
  fi
}
(($+functions[compdef])) || { autoload -Uz compinit && compinit; }
compdef _deploy_sh deploy.sh
