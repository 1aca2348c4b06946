# shellcheck shell=bash
# Log lines and the virtual environment, for deploy.sh and test.sh.

# uv itself, by hash.
UV_LOCK=files/images/litellm/uv.lock.txt

# log COMPONENT LEVEL MESSAGE: one line to standard error.
log() { printf '[%s] [%s] [%s] %s\n' "$(date +%H:%M:%S)" "$1" "$2" "$3" >&2; }

# as_root COMMAND...: runs it as root, through sudo where needed.
as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    log DEPLOY ERROR "this needs root, and there is no sudo: $*"
    return 1
  fi
}

# install_packages NAME...: Debian packages, with a fresh package list.
install_packages() {
  log DEPLOY INFO "installing ${*}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Wheels of an unpacked bundle, of which this project is a part, and the Python that they are for.
BUNDLE_WHEELS=bundle/wheels
BUNDLE_PYTHON=bundle/python

# find_python: prints the newest Python that can run the pinned Ansible and make virtual environments.
find_python() {
  local candidate candidates=(python3.14 python3.13 python3.12 python3.11 python3)
  [[ ! -d $BUNDLE_WHEELS ]] || candidates=("python$(<"$BUNDLE_PYTHON")")
  for candidate in "${candidates[@]}"; do
    if command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# ensure_python: prints that Python, installing the distribution's one where there is none.
ensure_python() {
  if ! find_python; then
    if [[ -d $BUNDLE_WHEELS ]]; then
      log DEPLOY ERROR "the bundle's wheels are for Python $(<"$BUNDLE_PYTHON"), and it is not here with venv; install it, or make the bundle with a Python that is"
      return 1
    fi
    # Ubuntu 22.04's own Python is 3.10, too old for ansible-core 2.19; it offers 3.11 beside it.
    local version=python3
    apt-cache show python3.11-venv >/dev/null 2>&1 && ! /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && version=python3.11
    install_packages "$version" "$version-venv" >&2
    find_python || {
      log DEPLOY ERROR "no Python from 3.11 to 3.14 with venv can be found or installed; install one and run this again"
      return 1
    }
  fi
}

# index_of FOLDER: the index of packages that pip is set to, which uv does not look up itself.
index_of() { "$1/bin/python" -m pip config get global.index-url 2>/dev/null || echo "${PIP_INDEX_URL:-}"; }

# with_uv FOLDER ARGUMENTS...: uv of that environment, with the index and the certificates of this machine.
with_uv() {
  local folder=$1 index certificates=${PIP_CERT:-${SSL_CERT_FILE:-}}
  shift
  index=$(index_of "$folder")
  UV_NO_CONFIG=1 ${index:+env "UV_DEFAULT_INDEX=$index"} ${certificates:+env "SSL_CERT_FILE=$certificates"} "$folder/bin/uv" "$@"
}

# uv_install FOLDER LOCK: installs with uv, 8 s where pip takes 25 s.
uv_install() {
  local folder=$1 lock=$2
  "$folder/bin/python" -m pip install -qq --no-compile --disable-pip-version-check --require-hashes "--requirement=$UV_LOCK" || return
  with_uv "$folder" pip install --quiet --no-cache --require-hashes --python "$folder/bin/python" "--requirement=$lock"
}

# ensure_venv FOLDER LOCK: makes or updates a virtual environment of what is locked; does nothing when it is up to date.
ensure_venv() {
  local folder=$1 lock=$2 python stamp
  local pip_install=(-m pip install -qq --no-compile --disable-pip-version-check --require-hashes "--requirement=$lock")
  stamp=$(sha256sum <"$lock" | cut -c1-16)
  # A Python that was upgraded away leaves an environment that does not start.
  if [[ $(cat "$folder/.complete" 2>/dev/null) == "$stamp" ]] && "$folder/bin/python" -c '' 2>/dev/null; then return; fi
  python=$(ensure_python)
  log DEPLOY INFO "installing $lock into $folder with $python"
  rm -rf "$folder"
  "$python" -m venv "$folder"
  if [[ -d $BUNDLE_WHEELS ]]; then
    "$folder/bin/python" "${pip_install[@]}" --no-index "--find-links=$BUNDLE_WHEELS"
  elif ! uv_install "$folder" "$lock"; then
    log DEPLOY INFO "uv could not install them (its message is above); pip does it, in about 30 s"
    # Compiling all of Ansible's collections would take longer than installing them.
    "$folder/bin/python" "${pip_install[@]}"
  fi
  printf '%s' "$stamp" >"$folder/.complete"
}
