"""Shell completion of ./deploy.sh, from the table of verbs."""

from __future__ import annotations

from .environment import CLIENTS
from .verbs import VERBS

_COMMON = ("-i", "-e", "--check", "--diff", "--tags", "--limit", "-v")
_BASH = """\
# Completion of ./deploy.sh in bash: source <(./deploy.sh completion bash)
_deploy_sh() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} choices
  case $before in
    --client) choices="@CLIENTS@" ;;
    -i) choices=$(cd "$(dirname "${COMP_WORDS[0]}")" && printf '%s ' inventory/*) ;;
    help) choices="@VERBS@" ;;
    *)
      if ((COMP_CWORD == 1)); then choices="@VERBS@"; else
        case ${COMP_WORDS[1]} in
@CASES@
          *) choices="@COMMON@" ;;
        esac
      fi
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _deploy_sh deploy.sh ./deploy.sh"""
_ZSH = """\
# Completion of ./deploy.sh in zsh: source <(./deploy.sh completion zsh)
_deploy_sh() {
  case $words[CURRENT-1] in
    --client) compadd -- @CLIENTS@; return ;;
    -i) compadd -- $(cd "${words[1]:h}" && print -l inventory/*(/N)); return ;;
    help) compadd -- @VERBS@; return ;;
  esac
  if ((CURRENT == 2)); then compadd -- @VERBS@; return; fi
  case $words[2] in
@CASES@
    *) compadd -- @COMMON@ ;;
  esac
}
(($+functions[compdef])) || { autoload -Uz compinit && compinit; }
compdef _deploy_sh deploy.sh"""


def _words_of(name: str) -> list[str]:
    """Return what can follow a verb."""
    verb = next(verb for verb in VERBS if verb.name == name)
    words = [option.flag for option in verb.options] + (["--json"] if verb.answer_file else [])
    if name == "client":
        words = ["add", "rotate", "remove", "list"]
    elif name == "env":
        words = ["--client", "-i"]
    elif name == "completion":
        words = ["bash", "zsh"]
    return [*words, *_COMMON] if verb.playbook else words


def completion(shell: str) -> str:
    """Return the script for *shell*: bash or zsh."""
    template, line = (_BASH, '          {}) choices="{}" ;;') if shell == "bash" else (_ZSH, "    {}) compadd -- {} ;;")
    cases = "\n".join(line.format(verb.name, " ".join(_words_of(verb.name))) for verb in VERBS)
    return (
        template.replace("@CASES@", cases)
        .replace("@VERBS@", " ".join(verb.name for verb in VERBS))
        .replace("@CLIENTS@", " ".join(CLIENTS))
        .replace("@COMMON@", " ".join(_COMMON))
    )
