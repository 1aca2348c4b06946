# shellcheck shell=bash
# Log lines and the virtual environment, for deploy.sh and test.sh.

UV_VERSION=0.13.9

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

# find_python: prints the newest Python that can run the pinned Ansible and make virtual environments.
find_python() {
  local candidate
  for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
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

# uv_install FOLDER REQUIREMENTS...: installs with uv, 8 s where pip takes 25 s. uv does not read pip's settings: the index is handed over.
uv_install() {
  local folder=$1 index certificates=${PIP_CERT:-${SSL_CERT_FILE:-}}
  shift
  "$folder/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "uv==$UV_VERSION" || return
  index=$("$folder/bin/python" -m pip config get global.index-url 2>/dev/null) || index=${PIP_INDEX_URL:-}
  UV_NO_CONFIG=1 ${index:+env "UV_DEFAULT_INDEX=$index"} ${certificates:+env "SSL_CERT_FILE=$certificates"} \
    "$folder/bin/uv" pip install --quiet --no-cache --python "$folder/bin/python" "${@/#/--requirement=}"
}

# ensure_venv FOLDER REQUIREMENTS...: makes or updates a virtual environment; does nothing when it is up to date.
ensure_venv() {
  local folder=$1 python stamp
  shift
  stamp=$(cat "$@" | sha256sum | cut -c1-16)
  # A Python that was upgraded away leaves an environment that does not start.
  if [[ $(cat "$folder/.complete" 2>/dev/null) == "$stamp" ]] && "$folder/bin/python" -c '' 2>/dev/null; then return; fi
  python=$(ensure_python)
  log DEPLOY INFO "installing $(printf '%s ' "$@")into $folder with $python"
  rm -rf "$folder"
  "$python" -m venv "$folder"
  if ! uv_install "$folder" "$@"; then
    log DEPLOY INFO "uv could not install them (its message is above); pip does it, in about 30 s"
    # Compiling all of Ansible's collections would take longer than installing them.
    "$folder/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "${@/#/--requirement=}"
  fi
  printf '%s' "$stamp" >"$folder/.complete"
}
