#!/usr/bin/env bash
# Deploys the gateway, from nothing or over the release before, and verifies it.
#   ./deploy.sh [ansible-playbook options]   everything that site.yml does; without options on this machine, with a stub upstream
#   ./deploy.sh env                          what a client needs, as shell exports: eval "$(./deploy.sh env)"
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
       ./deploy.sh env                          print the client's settings: eval "$(./deploy.sh env)"
TXT
}

print_client_environment() {
  local file=${VIBE_ENV_FILE:-inventory/local/.secrets/client.env}
  if [[ ! -r $file ]]; then
    log DEPLOY ERROR "no deployment has written $file yet: run ./deploy.sh first (or name another file in VIBE_ENV_FILE)"
    exit 1
  fi
  cat "$file"
}

main() {
  case ${1:-} in
    env) print_client_environment; exit ;;
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
