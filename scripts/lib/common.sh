# Shared by every script: where things are, how to speak, how to become root. Sourced, never run.
set -euo pipefail

REPO="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# What is downloaded or unpacked once: outside of build/, so that `rm -rf build` stays cheap.
# Without a usable HOME it moves into build/deps.
cache_folder() {
  if [ -n "${LLDB_CGO_CACHE:-}" ]; then
    printf '%s\n' "$LLDB_CGO_CACHE"
  elif [ -n "${XDG_CACHE_HOME:-}" ]; then
    printf '%s\n' "$XDG_CACHE_HOME/lldb-cgo"
  elif [ -n "${HOME:-}" ] && mkdir -p "$HOME/.cache" 2>/dev/null && [ -w "$HOME/.cache" ]; then
    printf '%s\n' "$HOME/.cache/lldb-cgo"
  else
    printf '%s\n' "$REPO/build/deps"
  fi
}
CACHE="$(cache_folder)"
export LLDB_CGO_CACHE="$CACHE"
mkdir -p "$CACHE"

# Go refuses to work without a folder for its caches.
if [ -z "${HOME:-}" ] || [ ! -w "$HOME" ]; then
  export GOPATH="${GOPATH:-$CACHE/gopath}" GOCACHE="${GOCACHE:-$CACHE/go-build}"
fi

# Debian's own Python: the one LLDB's packages and the test packages are made for.
PYTHON=/usr/bin/python3

say() { printf '%s\n' "==> $*"; }
warn() { printf '%s\n' "warning: $*" >&2; }
die() {
  printf '%s\n' "error: $*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
  else
    die "this needs root: run it as root or install sudo (wanted: $*)"
  fi
}
