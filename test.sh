#!/usr/bin/env bash
# Everything that CI runs.
#   ./test.sh        static checks, unit tests, then a real deployment on this machine and its tests
#   ./test.sh fast   stops before what needs Docker
#   ./test.sh full   all of it, and the slow tests on throwaway hosts
set -euo pipefail
export LC_ALL=${LC_ALL:-C.UTF-8}
cd "$(dirname "${BASH_SOURCE[0]}")"
export ANSIBLE_CONFIG=$PWD/ansible.cfg
# shellcheck source=playbooks/lib/venv.sh
source playbooks/lib/venv.sh
VENV=.venv-test

step() {
  local name=$1 start=$SECONDS
  shift
  log TEST INFO "$name"
  "$@" || {
    log TEST ERROR "$name: failed after $((SECONDS - start)) s: $*"
    exit 1
  }
  log TEST INFO "$name: good, $((SECONDS - start)) s"
}

static_checks() {
  command -v shellcheck >/dev/null || install_packages shellcheck
  step "yamllint" "$VENV/bin/yamllint" --strict .
  step "ruff" "$VENV/bin/ruff" check .
  step "ruff format" "$VENV/bin/ruff" format --check .
  step "mypy" "$VENV/bin/mypy"
  step "shellcheck" shellcheck --external-sources deploy.sh test.sh .ci/run playbooks/lib/*.sh
  step "ansible-lint" env PATH="$PWD/$VENV/bin:$PATH" ansible-lint --offline
}

main() {
  local scope=${1:-all}
  case $scope in all | fast | full) ;; *)
    log TEST ERROR "unknown scope $scope: use fast, full, or nothing"
    exit 2
    ;;
  esac
  step "tools in $VENV" ensure_venv "$VENV" requirements.txt tests/requirements.txt
  static_checks
  step "unit tests" "$VENV/bin/python" -m pytest tests/unit
  [[ $scope == fast ]] && { log TEST INFO "fast: done in $SECONDS s; what needs Docker was left out"; exit; }
  step "end-to-end tests" "$VENV/bin/python" -m pytest tests/e2e ${SCOPE_OPTIONS[$scope]:+"${SCOPE_OPTIONS[$scope]}"}
  log TEST INFO "$scope: done in $SECONDS s"
}

declare -A SCOPE_OPTIONS=([all]="" [full]="--full")
main "$@"
