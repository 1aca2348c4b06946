#!/usr/bin/env bash
# Runs all checks and tests; CI runs this.
#   ./test.sh        static checks, unit tests, then a real deployment on this machine and its tests
#   ./test.sh fast   only the checks that need no Docker
#   ./test.sh full   all of it, and the slow tests on throwaway hosts
#   ./test.sh NAME   one of the fast checks: yamllint, ruff, format, codespell, mypy, shellcheck, ansible-lint, unit
#   ./test.sh bench  the benchmarks by name; ./test.sh bench NAME runs one (docs/benchmarks.md), CI none
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

# The fast checks, in this order; .pre-commit-config.yaml has a hook for each.
FAST_CHECKS=(yamllint ruff format codespell mypy shellcheck ansible-lint unit)

fast_check() {
  case $1 in
    yamllint) step "$1" "$VENV/bin/yamllint" --strict . ;;
    ruff) step "$1" "$VENV/bin/ruff" check . ;;
    format) step "$1" "$VENV/bin/ruff" format --check . ;;
    codespell) step "$1" "$VENV/bin/codespell" . ;;
    mypy) step "$1" "$VENV/bin/mypy" ;;
    shellcheck)
      command -v shellcheck >/dev/null || install_packages shellcheck
      step "$1" shellcheck --external-sources deploy.sh test.sh .ci/run playbooks/lib/*.sh
      ;;
    ansible-lint) step "$1" env PATH="$PWD/$VENV/bin:$PATH" ansible-lint --offline ;;
    unit) step "unit tests" "$VENV/bin/python" -m pytest tests/unit --numprocesses auto --dist worksteal ;;
    *) return 1 ;;
  esac
}

all_fast_checks() {
  local check output
  output=$(mktemp)
  for check in "${FAST_CHECKS[@]}"; do
    # Needs one processor for a minute, so it runs beside the unit tests, which are reported first.
    if [[ $check == ansible-lint ]]; then
      fast_check "$check" >"$output" 2>&1 &
      LINT=$!
      # If another check fails first. It may have ended by then, which is not an error.
      trap 'pkill --parent "$LINT" || true' EXIT
    else
      fast_check "$check"
    fi
  done
  trap - EXIT
  wait "$LINT" || { cat "$output" >&2; exit 1; }
  cat "$output" >&2
  rm "$output"
}

main() {
  local scope=${1:-all} check
  case " all fast full bench ${FAST_CHECKS[*]} " in *" $scope "*) ;; *)
    log TEST ERROR "unknown scope $scope: use fast, full, bench, one of ${FAST_CHECKS[*]}, or nothing"
    exit 2
    ;;
  esac
  step "tools in $VENV" ensure_venv "$VENV" tests/requirements.lock
  if [[ $scope == bench ]]; then
    exec "$VENV/bin/python" tests/bench/run.py "${@:2}"
  fi
  if [[ " ${FAST_CHECKS[*]} " == *" $scope "* ]]; then
    fast_check "$scope"
    exit
  fi
  all_fast_checks
  [[ $scope == fast ]] && { log TEST INFO "fast: done in $SECONDS s; what needs Docker was left out"; exit; }
  # The report's page is checked in a real browser. If the distribution has none, those tests are skipped.
  command -v chromium >/dev/null || install_packages chromium || log TEST WARNING "no chromium is available: the report's page is not checked"
  step "end-to-end tests" "$VENV/bin/python" -m pytest tests/e2e --numprocesses 2 --dist loadscope --durations=60 ${SCOPE_OPTIONS[$scope]:+"${SCOPE_OPTIONS[$scope]}"}
  log TEST INFO "$scope: done in $SECONDS s"
}

declare -A SCOPE_OPTIONS=([all]="" [full]="--full")
main "$@"
