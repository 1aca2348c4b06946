#!/usr/bin/env bash
# Deploys the gateway and verifies it; ./deploy.sh help lists the other verbs. This script only brings the tools: the verbs are in
# playbooks/python/vibe_commands/verbs.py, and most of them run a playbook.
set -euo pipefail
# Ansible needs a UTF-8 locale, and this one is part of every supported system's C library.
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")"
export ANSIBLE_CONFIG=$PWD/ansible.cfg
# shellcheck source=playbooks/lib/venv.sh
source playbooks/lib/venv.sh

# run_verb PYTHON [VERB] [OPTIONS]
run_verb() { exec "$1" -B playbooks/python/deploy.py "${@:2}"; }

main() {
  case ${1:-} in
    # These need no tools, so that they work before anything is installed.
    help | -h | --help | version | --version | completion | env)
      run_verb "$(find_python || ensure_python)" "$@"
      ;;
    sbom)
      ensure_venv .venv-sbom playbooks/lib/sbom.lock
      run_verb .venv-sbom/bin/python "$@"
      ;;
    *)
      ensure_venv .venv requirements.lock
      run_verb .venv/bin/python "$@"
      ;;
  esac
}

main "$@"
