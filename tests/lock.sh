#!/usr/bin/env bash
# Writes the lock files anew: everything that requirements.txt and the likes of it need, in exact versions and by hash, for every Python that
# can run it. Versions that are locked already stay, where the requirements allow it; --upgrade takes the newest.
#   tests/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=playbooks/lib/venv.sh
source playbooks/lib/venv.sh

# lock FILE OPTIONS REQUIREMENTS...
lock() {
  with_uv .venv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "--output-file=$1" "${@:2}"
  log TEST INFO "$1: $(grep -c '^[a-z].*==' "$1") packages"
}

ensure_venv .venv requirements.lock
lock requirements.lock "$@" requirements.txt
lock playbooks/lib/sbom.lock "$@" playbooks/lib/sbom.txt
lock tests/requirements.lock "$@" requirements.txt playbooks/lib/sbom.txt tests/requirements.txt
