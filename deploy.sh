#!/usr/bin/env bash
# Deploys the gateway, from nothing or over the release before, and verifies it; and the few other things that one does to a deployment.
# `./deploy.sh help` lists them, `./deploy.sh help VERB` says more of one. Each is a thin call of its playbook.
set -euo pipefail
export LC_ALL=${LC_ALL:-C.UTF-8}
cd "$(dirname "${BASH_SOURCE[0]}")"
export ANSIBLE_CONFIG=$PWD/ansible.cfg
# shellcheck source=playbooks/lib/venv.sh
source playbooks/lib/venv.sh

# Verb, playbook, what it does; in the order of the help.
readonly VERBS="
deploy    site.yml                bring every host to what the inventory asks for, and verify it; the default
verify    playbooks/verify.yml    check the hosts and send routing smoke requests
status    playbooks/status.yml    show what runs on every host
rollback  playbooks/rollback.yml  serve an older release again
doctor    playbooks/doctor.yml    walk from the client inwards to the first broken link, and say the mend
drift     playbooks/drift.yml     compare the hosts with the inventory; fails where they differ
audit     playbooks/audit.yml     show what was done on the hosts
unlock    playbooks/unlock.yml    free the lock of a deployment that no longer runs
teardown  playbooks/teardown.yml  take a deployment down: containers, images, files; never the engine
rotate    playbooks/rotate_secrets.yml  make the secrets anew that this toolkit made, and deploy them
backup    playbooks/backup.yml    keep what cannot be made again, encrypted
restore   playbooks/restore.yml   bring back what was lost, from a backup
bundle    playbooks/bundle.yml    make one archive of all that a deployment needs, for hosts without a network
lab       playbooks/lab.yml       make a fleet of throwaway hosts on this machine
"
readonly USAGE_ERROR=5

# playbook_of VERB: its playbook, or nothing.
playbook_of() { awk -v verb="$1" '$1 == verb { print $2 }' <<<"$VERBS"; }

usage() {
  cat <<TXT
Usage: ./deploy.sh [VERB] [-i inventory/NAME] [ansible-playbook options]
$(awk 'NF { printf "  %-9s ", $1; $1 = $2 = ""; print substr($0, 3) }' <<<"$VERBS")
  env       print what a client needs as shell exports: eval "\$(./deploy.sh env)"; --client claude-code, codex, or ca
  sbom      write what is in the images, as CycloneDX, and what of it is known to be vulnerable; ./deploy.sh sbom --help
  client    give a client a key of its own, or take it back: add, rotate, remove, list; ./deploy.sh client --help
  completion for your shell: source <(./deploy.sh completion bash), or zsh
  help      say more of a verb: ./deploy.sh help rollback
  version   print the toolkit's version

Without -i on this machine, with a stub upstream. ./deploy.sh --check --diff shows what would change, and changes nothing.
Exit code: 0 good, 1 a fault of this script or of env, 2 a host failed, 4 a host was not reached, 5 wrong usage, 99 interrupted.
TXT
}

# describe VERB: the head of its playbook, which says what it does and takes.
describe() {
  local playbook
  playbook=$(playbook_of "$1")
  if [[ -z $playbook ]]; then
    usage
    [[ $1 =~ ^(env|client|sbom|completion|help|version|)$ ]] || wrong_usage "there is no verb $1"
    return
  fi
  printf '%s: .venv/bin/ansible-playbook %s\n\n' "$1" "$playbook"
  awk '/^#/ { sub(/^# ?/, ""); print; next } /^-/ && NR > 1 && !/^---/ { exit }' "$playbook"
}

# print_completion SHELL: what that shell is to source.
print_completion() {
  local verbs
  [[ $1 == bash || $1 == zsh ]] || wrong_usage "there is completion for bash and zsh, not for ${1:-nothing}"
  verbs=$(awk 'NF { printf "%s ", $1 }' <<<"$VERBS")
  sed "s/@VERBS@/${verbs}env client sbom completion help version/" "playbooks/lib/completion.$1"
}

wrong_usage() {
  log DEPLOY ERROR "$1; ./deploy.sh help lists what there is"
  exit "$USAGE_ERROR"
}

# print_client_settings [--client CLIENT] [-i INVENTORY]: what the last deployment of that environment wrote for that client.
print_client_settings() {
  local client=sdk inventory=inventory/local file
  while (($#)); do
    case $1 in
      --client) client=${2:-nothing} ;;
      -i | --inventory) inventory=${2:-nothing} ;;
      *) wrong_usage "env does not know $1" ;;
    esac
    shift $(($# > 1 ? 2 : 1))
  done
  case $client in
    sdk) file=client.env ;;
    claude-code) file=claude-code.env ;;
    codex) file=codex.toml ;;
    ca) file=tls/ca.pem ;;
    *) wrong_usage "env knows the clients sdk, claude-code and codex, and ca, its authority, not $client" ;;
  esac
  file=${inventory%/}/.secrets/$file
  if [[ ! -r $file ]]; then
    log DEPLOY ERROR "no deployment has written $file yet: run ./deploy.sh first (-i inventory/NAME for another environment)"
    exit 1
  fi
  cat "$file"
}

# inventory_of OPTIONS: the folder that their -i names, or this machine's.
inventory_of() {
  while (($# > 1)); do
    [[ $1 != -i && $1 != --inventory ]] || { echo "${2%/}"; return; }
    shift
  done
  echo inventory/local
}

# ask_become OPTIONS: sets become to what asks for sudo's password, where this machine's own inventory needs it.
ask_become() {
  become=()
  if [[ $EUID -ne 0 && " $* " != *" -i "* ]] && ! sudo -n true 2>/dev/null; then
    log DEPLOY INFO "sudo will ask for your password once"
    become=(--ask-become-pass)
  fi
}

# run_client ACTION [NAME] [OPTIONS]: clients with keys of their own.
run_client() {
  local become=()
  ensure_venv .venv requirements.lock
  [[ ! ${1:-} =~ ^(add|rotate|remove)$ ]] || ask_become "$@"
  exec .venv/bin/python playbooks/lib/client.py "$@" "${become[@]}"
}

# run_sbom [OPTIONS]: what is in the images.
run_sbom() {
  ensure_venv .venv-sbom playbooks/lib/sbom.lock
  exec .venv-sbom/bin/python playbooks/lib/sbom.py "$@"
}

# run_verb VERB [OPTIONS]: its playbook, with the toolkit's own Ansible.
run_verb() {
  local verb=$1 become=()
  shift
  log DEPLOY INFO "tools: Ansible and what it needs, in .venv"
  ensure_venv .venv requirements.lock
  ask_become "$@"
  # Drift is a dry run by nature.
  [[ $verb != drift ]] || set -- --check --diff "$@"
  log DEPLOY INFO "$verb: $(playbook_of "$verb")"
  local command=(.venv/bin/ansible-playbook "$(playbook_of "$verb")" "${become[@]}" "$@")
  [[ $verb == status && " $* " == *" format=json "* ]] || exec "${command[@]}"
  "${command[@]}" >&2
  cat "reports/$(basename "$(inventory_of "$@")")/status.json"
}

main() {
  case ${1:-} in
    env) print_client_settings "${@:2}" ;;
    client) run_client "${@:2}" ;;
    sbom) run_sbom "${@:2}" ;;
    version | --version) cat VERSION ;;
    completion) print_completion "${2:-}" ;;
    help) describe "${2:-}" ;;
    -h | --help) usage ;;
    "" | -*) run_verb deploy "$@" ;;
    *)
      [[ -n $(playbook_of "$1") ]] || wrong_usage "there is no verb $1"
      run_verb "$@"
      ;;
  esac
}

main "$@"
