# shellcheck shell=bash
# The npm package: module, glue and TypeScript, into the ignored folders pkg/wasm and pkg/dist.

TARGET=${CARGO_TARGET_DIR:-$PWD/target}
BUILT=$TARGET/wasm32-unknown-unknown/wasm/segue_wasm.wasm

# Features that rustc turns on for this target; the sections that would tell wasm-opt are stripped.
WASM_FEATURES=(--enable-simd --enable-bulk-memory --enable-nontrapping-float-to-int
  --enable-sign-ext --enable-mutable-globals --enable-reference-types --enable-multivalue)

# What is called for each row stays a function: engines swap in the optimised code of one where it is
# called, not while it runs, so that a loop inlined into its only caller runs unoptimised to its end.
# Between the passes control flow is laid out anew. The lowest kilobyte is the end of the stack, which nothing but an
# overflow would reach: so what is added to an address may go into the load.
WASM_OPT=(-O3 --flatten --rereloop -O3 -O3 --low-memory-unused --one-caller-inline-max-function-size=20)

# The module is optimised once more as it is linked, so that what panics are told falls away: nobody
# reads it, and the first pass finds that out when it has looked at arguments already. Whatever makes
# loops or calls larger was done by then, and is not done again.
LINK_OPT=(--lto-O2 -mllvm -inline-threshold=0 -mllvm -unroll-threshold=0 -mllvm -unroll-runtime=false
  -mllvm -vectorize-loops=false -mllvm -vectorize-slp=false)

# What a page needs to follow a registry, not to rank: it is loaded by itself, when it is needed.
LATE='sync_.*|__wbg_sync_free|engine_after|engine_encoded|parts_add_delta'

verb_pkg() {
  setup_rust
  setup_wasm_bindgen
  setup_node
  build_pkg
  report_size
}

build_pkg() {
  say 'building the WebAssembly module and the npm package'
  build_module
  build_dist
}

build_module() {
  compile_module
  once pkg-wasm "$(hash_of "$BUILT" package-lock.json tools/pkg.sh tools/split.mjs Cargo.toml)" pkg/wasm bind "$BUILT"
}

# compile_module [FLAG…]: with more FLAGs for cargo.
compile_module() {
  # As a cdylib alone: optimised as a whole. As the library that it is too for its tests, it is not.
  cargo rustc --quiet -p segue-wasm --no-default-features --profile wasm \
    --target wasm32-unknown-unknown --crate-type cdylib "$@" \
    -- -C linker-plugin-lto -C link-args="${LINK_OPT[*]}"
}

# bind MODULE: writes the glue for MODULE, and optimises what is left of it.
bind() {
  local out part
  out=$(staged wasm)
  write_glue "$1" "$out" --remove-name-section
  optimise "$out/segue_wasm_bg.wasm" "${WASM_OPT[@]}"
  node tools/split.mjs "$out/segue_wasm_bg.wasm" "$out/segue_wasm_late.wasm" "$LATE" "${WASM_FEATURES[@]}"
  for part in bg late; do optimise "$out/segue_wasm_$part.wasm" -O1; done
  swap_in "$out" pkg/wasm
}

# write_glue MODULE FOLDER [FLAG…]: the glue without what would load the module, which pkg/src/module.ts does.
write_glue() {
  wasm-bindgen --target bundler --encode-into always --remove-producers-section \
    --out-dir "$2" "${@:3}" "$1"
  mv "$2/segue_wasm_bg.js" "$2/segue_wasm.js"
  echo 'export function __wbg_set_wasm(exports: WebAssembly.Exports): void;' >>"$2/segue_wasm.d.ts"
}

# optimise MODULE FLAG…: in place.
optimise() {
  node_modules/.bin/wasm-opt "${@:2}" "${WASM_FEATURES[@]}" "$1" -o "$1.optimised"
  mv "$1.optimised" "$1"
}

build_dist() {
  local inputs=(pkg/src pkg/tsconfig.json tsconfig.base.json package-lock.json pkg/wasm tools/bundle.mjs)
  once pkg-dist "$(hash_of "${inputs[@]}")" pkg/dist compile_dist
}

compile_dist() {
  local out
  out=$(staged dist)
  node_modules/.bin/tsc -p pkg --outDir "$out" --emitDeclarationOnly
  node tools/bundle.mjs "$out"
  swap_in "$out" pkg/dist
}

report_size() { node tools/size.mjs; }
