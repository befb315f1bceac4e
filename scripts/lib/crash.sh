# A core of a program that crashes. Sourced.

# crash_core FOLDER PROGRAM ARGUMENTS… : runs it with GOTRACEBACK=crash and prints the path of its core.
# The kernel writes it where it may; where core_pattern is a pipe or the limit is 0, gdb writes it at the end.
crash_core() {
  local folder="$1" core=""
  shift
  rm -f "$folder"/core*
  (
    cd "$folder"
    ulimit -c unlimited 2>/dev/null || true
    GOTRACEBACK=crash timeout 60 "$@" >"$folder/output" 2>&1 </dev/null
  ) 2>/dev/null || true
  core="$(find "$folder" -maxdepth 1 -name 'core*' -newer "$folder/output" -print -quit)"
  [ -n "$core" ] || core="$(find "$folder" -maxdepth 1 -name 'core*' -print -quit)"
  if [ -z "$core" ]; then
    echo "    (the kernel writes no core here; gdb does)" >&2
    GOTRACEBACK=crash timeout 120 gdb -nx -batch -ex "handle all nostop noprint pass" \
      -ex "handle SIGABRT stop nopass" -ex run -ex "generate-core-file $folder/core.gdb" -ex kill \
      --args "$@" >"$folder/gdb-output" 2>&1 </dev/null || true
    core="$folder/core.gdb"
  fi
  [ -s "$core" ] || die "the program left no core; see $folder/output"
  printf '%s\n' "$core"
}
