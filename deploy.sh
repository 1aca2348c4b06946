#!/usr/bin/env bash
# Deploys the gateway, from nothing or over the release before, and verifies it.
#   ./deploy.sh [ansible-playbook options]   everything that site.yml does; without options on this machine, with a stub upstream
#   ./deploy.sh env [-i inventory/NAME]      what a client needs, as shell exports: eval "$(./deploy.sh env)"
#   ./deploy.sh version                      the toolkit's version
set -euo pipefail
export LC_ALL=${LC_ALL:-C.UTF-8}
cd "$(dirname "${BASH_SOURCE[0]}")"
export ANSIBLE_CONFIG=$PWD/ansible.cfg
# shellcheck source=playbooks/lib/venv.sh
source playbooks/lib/venv.sh

usage() {
  cat <<'TXT'
Usage: ./deploy.sh [ansible-playbook options]   deploy and verify (this machine, stub upstream)
       ./deploy.sh -i inventory/NAME            deploy another environment
       ./deploy.sh --check --diff               show what would change, change nothing
       ./deploy.sh --tags verify                only verify what runs
       ./deploy.sh env [-i inventory/NAME]      print the client's settings: eval "$(./deploy.sh env)"
       ./deploy.sh version                      print the toolkit's version
TXT
}

# print_client_environment [-i INVENTORY]: the settings that the last deployment of that environment wrote.
print_client_environment() {
  local inventory=inventory/local file
  if [[ ${1:-} == -i && -n ${2:-} ]]; then
    inventory=${2%/}
    shift 2
  fi
  if (($#)); then
    log DEPLOY ERROR "env does not know $1: ./deploy.sh env [-i inventory/NAME]"
    exit 2
  fi
  file=$inventory/.secrets/client.env
  if [[ ! -r $file ]]; then
    log DEPLOY ERROR "no deployment has written $file yet: run ./deploy.sh first (-i inventory/NAME for another environment)"
    exit 1
  fi
  cat "$file"
}

main() {
  case ${1:-} in
    env) print_client_environment "${@:2}"; exit ;;
    version | --version) cat VERSION; exit ;;
    -h | --help) usage; exit ;;
  esac
  log DEPLOY INFO "1/2 tools: Ansible and what it needs, in .venv"
  ensure_venv .venv requirements.txt
  local become=()
  if [[ $EUID -ne 0 && " $* " != *" -i "* ]] && ! sudo -n true 2>/dev/null; then
    log DEPLOY INFO "sudo will ask for your password once"
    become=(--ask-become-pass)
  fi
  log DEPLOY INFO "2/2 deployment: preflight, prepare, stage, rollout, verify"
  exec .venv/bin/ansible-playbook site.yml "${become[@]}" "$@"
}

main "$@"
