# Go releases for the tests: each pinned, fetched through Go's module proxy by Go itself. Sourced.

# Minor release → the exact one that is fetched. Debian's own packages are the fallback.
declare -A GO_RELEASES=(
  [1.19]=1.19.13 [1.20]=1.20.14 [1.21]=1.21.13 [1.22]=1.22.12 [1.23]=1.23.12
  [1.24]=1.24.13 [1.25]=1.25.14 [1.26]=1.26.8 [1.27]=1.27.4
)
GO_MINORS=(1.19 1.20 1.21 1.22 1.23 1.24 1.25 1.26 1.27)
GO_FOLDER="$CACHE/go"

# go_version PROGRAM: "1.26.8", or nothing.
go_version() {
  # Started away from any module, so that no go.mod makes it switch to another toolchain.
  (cd / && GOTOOLCHAIN=local GOFLAGS='' "$1" env GOVERSION 2>/dev/null | sed -n 's/^go\([0-9.]*\).*/\1/p')
}

# go_minor VERSION: "1.26"
go_minor() { printf '%s\n' "$1" | cut -d. -f1,2; }

# Prints every Go program of the machine, best known places first.
go_programs() {
  local candidate
  for candidate in "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
    [ -n "$candidate" ] && [ -x "$candidate" ] && printf '%s\n' "$candidate"
  done
  return 0
}

# first_line COMMAND… : the first line it prints. `… | head` would end the command by SIGPIPE now and then, and with
# pipefail the script.
first_line() {
  local all
  all="$("$@")"
  printf '%s\n' "${all%%$'\n'*}"
}

# Sets GO to a Go that can build cgo programs; installs Debian's when there is none.
ensure_go() {
  GO="$(first_line go_programs)"
  if [ -z "$GO" ]; then
    ensure_packages golang-go
    GO="$(first_line go_programs)"
  fi
  [ -n "$GO" ] || die "no Go found, not even after installing Debian's"
}

# go_module_cache: the module cache Go uses here.
go_module_cache() { (cd / && GOTOOLCHAIN=local "$GO" env GOMODCACHE); }

# download_toolchain VERSION: prints its GOROOT. A toolchain is a module; a Go before 1.21 cannot switch
# to one by itself, but it can download it (and leaves the programs without their x bit).
download_toolchain() {
  local name="golang.org/toolchain@v0.0.1-go$1.linux-amd64" root
  root="$(go_module_cache)/$name"
  if [ ! -x "$root/bin/go" ] || [ ! -x "$root/pkg/tool/linux_amd64/compile" ]; then
    if [ -n "${GO_SWITCHES:-}" ]; then
      (cd / && GOTOOLCHAIN="go$1" GOFLAGS='' timeout 300 "$GO" version) >"$CACHE/fetch-go.log" 2>&1 || return 1
    else
      (cd / && GOTOOLCHAIN=local GOFLAGS='' timeout 300 "$GO" mod download "$name") \
        >"$CACHE/fetch-go.log" 2>&1 || return 1
      chmod +x "$root"/bin/* "$root"/pkg/tool/linux_amd64/* || return 1
    fi
  fi
  [ -x "$root/bin/go" ] && printf '%s\n' "$root"
}

# fetch_go MINOR: leaves GO_FOLDER/MINOR as a link to a GOROOT of that release, or fails.
fetch_go() {
  local minor="$1" version root program
  version="${GO_RELEASES[$minor]:-}"
  [ -n "$version" ] || die "no Go release $minor known; known: ${GO_MINORS[*]}"
  mkdir -p "$GO_FOLDER"
  if [ -x "$GO_FOLDER/$minor/bin/go" ]; then return 0; fi
  rm -f "$GO_FOLDER/$minor"
  if root="$(download_toolchain "$version")" && [ -n "$root" ]; then
    ln -s "$root" "$GO_FOLDER/$minor"
    return 0
  fi
  for program in $(go_programs); do
    if [ "$(go_minor "$(go_version "$program")")" = "$minor" ]; then
      ln -s "$(cd / && GOTOOLCHAIN=local "$program" env GOROOT)" "$GO_FOLDER/$minor"
      return 0
    fi
  done
  return 1
}

# Lines "MINOR VERSION GOROOT" of what has been fetched.
fetched_go_releases() {
  local minor
  for minor in "${GO_MINORS[@]}"; do
    [ -x "$GO_FOLDER/$minor/bin/go" ] || continue
    printf '%s %s %s\n' "$minor" "$(go_version "$GO_FOLDER/$minor/bin/go")" "$(readlink -f "$GO_FOLDER/$minor")"
  done
}
