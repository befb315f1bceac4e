# Packages that must not be installed into the machine: from backports, or in conflict with others.
# They are downloaded with an apt configuration of our own and unpacked into the cache folder; the
# machine's sources and package state stay as they are. Sourced.

# Prints "URI<TAB>keyring" of the first source of the running release (both formats apt reads).
machine_mirror() {
  local codename="$1" files=()
  shopt -s nullglob
  files=(/etc/apt/sources.list.d/*.sources)
  shopt -u nullglob
  local found=""
  if [ ${#files[@]} -gt 0 ]; then
    found="$(awk -v want="$codename" '
      function flush() { if (uri != "" && suite && !found++) print uri "\t" key; uri = key = ""; suite = 0 }
      FNR == 1 { flush() }
      /^[[:space:]]*$/ { flush(); next }
      tolower($1) == "uris:" { uri = $2 }
      tolower($1) == "suites:" { for (i = 2; i <= NF; i++) if ($i == want) suite = 1 }
      tolower($1) == "signed-by:" { key = $2 }
      END { flush() }' "${files[@]}")"
  fi
  if [ -z "$found" ]; then
    shopt -s nullglob
    files=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list)
    shopt -u nullglob
    found="$(cat "${files[@]}" 2>/dev/null | awk -v want="$codename" '
      $1 == "deb" {
        key = ""
        if (match($0, /signed-by=[^] ]+/)) key = substr($0, RSTART + 10, RLENGTH - 10)
        sub(/\[[^]]*\] */, "")
        if ($3 == want && !found++) print $2 "\t" key
      }')"
  fi
  [ -n "$found" ] || return 1
  printf '%s\n' "$found"
}

# private_apt SUITE ARGUMENTS… : apt-get that knows SUITE of the machine's own mirror and nothing else.
private_apt() {
  local suite="$1" base="$CACHE/apt/$1"
  shift
  mkdir -p "$base/lists/partial" "$base/archives/partial"
  if [ ! -s "$base/sources.list" ]; then
    local codename mirror uri key
    codename="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
    mirror="$(machine_mirror "$codename")" || die "no apt source for $codename found on this machine"
    uri="${mirror%%$'\t'*}"
    key="${mirror#*$'\t'}"
    case "$key" in /*) key="[signed-by=$key] " ;; *) key="" ;; esac
    printf 'deb %s%s %s main\n' "$key" "$uri" "${suite/CODENAME/$codename}" >"$base/sources.list"
  fi
  apt-get -q -o Dir::Etc::sourcelist="$base/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$base/lists" -o Dir::Cache="$base" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Retries=3 "$@"
}

# unpack_packages FOLDER SUITE NAME… : unpacks the packages under FOLDER unless that was done before.
# SUITE "" takes the machine's own lists.
unpack_packages() {
  local folder="$1" suite="$2" work
  shift 2
  [ -e "$folder/.complete" ] && return 0
  say "unpacking $* into $folder"
  work="$(mktemp -d "$CACHE/unpack.XXXXXX")"
  (
    cd "$work"
    if [ -n "$suite" ]; then
      private_apt "$suite" update >apt.log 2>&1 || { cat apt.log >&2; exit 1; }
      private_apt "$suite" download "$@" >apt.log 2>&1 || { cat apt.log >&2; exit 1; }
    else
      local own=(apt-get -q -o "APT::Sandbox::User=$(id -un)" download "$@")
      # The lists may never have been fetched.
      "${own[@]}" >apt.log 2>&1 ||
        { as_root apt-get -q update >apt.log 2>&1 && "${own[@]}" >>apt.log 2>&1; } || { cat apt.log >&2; exit 1; }
    fi
    mkdir root
    for package in ./*.deb; do dpkg -x "$package" root; done
    touch root/.complete
  ) || { rm -rf "$work"; return 1; }
  mkdir -p "$(dirname "$folder")"
  rm -rf "$folder"
  mv "$work/root" "$folder"
  rm -rf "$work"
}

# Catch2 v3: Debian 12 has it in backports only; newer releases have it in the archive itself.
ensure_catch2() {
  CATCH2_PREFIX=""
  [ -e /usr/lib/cmake/Catch2/Catch2Config.cmake ] && [ -e /usr/include/catch2/catch_all.hpp ] && return 0
  unpack_packages "$CACHE/catch2" CODENAME-backports libcatch2-dev catch2 || die "Catch2 v3 could not be had"
  CATCH2_PREFIX="$CACHE/catch2/usr"
}
