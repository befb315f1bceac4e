# Debian packages: what is missing is installed, what is there costs one dpkg-query. Sourced.

BUILD_PACKAGES=(
  ca-certificates g++ cmake ninja-build pkg-config ccache
  lldb-22 liblldb-22-dev libunwind-dev pybind11-dev python3-dev
  nlohmann-json3-dev libcli11-dev libfmt-dev zlib1g-dev libzstd-dev
  libzydis-dev
)
DEMO_PACKAGES=(gcc libc6-dev gdb)
TEST_PACKAGES=(
  gdb binutils git python3-pytest python3-pytest-xdist python3-jsonschema python3-filelock
  shellcheck clang-format-19 zstd dpkg-dev man-db zsh golang-github-proglottis-gpgme-dev
)

# Only for the preset "fuzz"; the stored corpus is replayed by every build without them.
FUZZ_PACKAGES=(clang-19 libclang-rt-19-dev)

package_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# ensure_packages NAME…
ensure_packages() {
  local missing=() name
  for name in "$@"; do
    package_installed "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing Debian packages: ${missing[*]}"
  local options=(-y -q --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  export DEBIAN_FRONTEND=noninteractive
  # Lists that are old or were never fetched name packages that are gone: one update, only when needed.
  as_root apt-get -q -o DPkg::Lock::Timeout=300 update >"$CACHE/apt.log" 2>&1 ||
    { cat "$CACHE/apt.log" >&2; die "apt-get update failed"; }
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "${missing[@]}" </dev/null \
    >>"$CACHE/apt.log" 2>&1 ||
    { tail -n 30 "$CACHE/apt.log" >&2; die "apt-get install failed"; }
}
