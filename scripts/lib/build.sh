# Configures and builds one preset. Sourced.

# build_preset PRESET [TARGET…]
build_preset() {
  local preset="$1" options=()
  shift
  ensure_catch2
  [ -n "$CATCH2_PREFIX" ] && options+=("-DCMAKE_PREFIX_PATH=$CATCH2_PREFIX")
  if command -v ccache >/dev/null; then
    export CCACHE_BASEDIR="$REPO" CCACHE_NOHASHDIR=1
    options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  [ "${CI:-}" = true ] && options+=(-DCGO_WARNINGS_AS_ERRORS=ON)
  [ -x "$PYTHON" ] && options+=("-DPython3_EXECUTABLE=$PYTHON" "-DPython_EXECUTABLE=$PYTHON" "-DPYTHON_EXECUTABLE=$PYTHON")
  cd "$REPO"
  cmake --preset "$preset" --no-warn-unused-cli "${options[@]}" >"$CACHE/configure-$preset.log" 2>&1 ||
    { cat "$CACHE/configure-$preset.log" >&2; die "configuring the preset $preset failed"; }
  local targets=()
  [ $# -gt 0 ] && targets=(--target "$@")
  cmake --build --preset "$preset" "${targets[@]}"
}
