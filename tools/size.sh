# shellcheck shell=bash
# What each part of the package takes, and what other levels of optimisation would make of it.

SIZE=$STATE/size

verb_size() {
  [[ $# -eq 0 || $* == levels ]] || wrong_usage "size takes nothing but 'levels', not '$*'"
  setup_rust
  setup_wasm_bindgen
  setup_node
  build_pkg
  if [[ $# -eq 0 ]]; then
    report_parts
    report_size
  else
    build_cli
    report_levels
  fi
}

# Names change no code: what is listed is the module that ships.
report_parts() {
  write_glue "$BUILT" "$SIZE/named"
  optimise "$SIZE/named/segue_wasm_bg.wasm" -g "${WASM_OPT[@]}"
  node bench/size/parts.mjs "$SIZE/named/segue_wasm_bg.wasm"
  node bench/size/sources.mjs pkg/dist/index.js
}

report_levels() {
  local level flags folder folders=()
  cargo build --release --quiet -p segue-core --examples
  make_catalogues 10k
  for level in 3 2 s z; do
    for flags in "${WASM_OPT[*]}" -Oz ''; do
      folder=$SIZE/${#folders[@]}
      module_at "$level" "$folder"
      # shellcheck disable=SC2086
      [[ -z $flags ]] || optimise "$folder/segue_wasm_bg.wasm" $flags
      folders+=("opt-level $level, ${flags:-no wasm-opt}=$folder")
    done
  done
  node bench/size/levels.mjs "${CATALOGUES[0]}" "${folders[@]}"
}

# module_at LEVEL FOLDER: built at an optimisation level.
module_at() {
  local target=$SIZE/target
  CARGO_PROFILE_WASM_OPT_LEVEL=$1 compile_module --target-dir "$target"
  write_glue "$target/wasm32-unknown-unknown/wasm/segue_wasm.wasm" "$2" --remove-name-section
}
