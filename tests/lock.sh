#!/usr/bin/env bash
# Writes the lock files: everything that requirements.txt and the likes of it need, in exact versions and by hash, for every Python that
# can run it. Versions that are locked already stay, where the requirements allow it; --upgrade takes the newest.
#   tests/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=playbooks/lib/venv.sh
source playbooks/lib/venv.sh

# lock PYTHON FILE OPTIONS REQUIREMENTS...: for that version of Python and newer ones.
lock() {
  with_uv .venv pip compile --quiet --universal --python-version "$1" --generate-hashes --no-header "--output-file=$2" "${@:3}"
  log TEST INFO "$2: $(grep -c '^[a-z].*==' "$2") packages"
}

ensure_venv .venv requirements.lock
lock 3.11 requirements.lock "$@" requirements.txt
lock 3.11 playbooks/lib/sbom.lock "$@" playbooks/lib/sbom.txt
# The image's own, whose Python may be older (docs/images.md).
lock 3.10 files/images/litellm/requirements.lock "$@" files/images/litellm/requirements.in
lock 3.11 tests/requirements.lock "$@" requirements.txt playbooks/lib/sbom.txt tests/requirements.txt
