# shellcheck shell=bash
# What is measured beside others: catalogues, peers, and the run itself.

BENCH=$STATE/bench

# Worlds to train catalogues on: name, rows that are kept, listeners, tracks. A track that nobody
# heard is no part of a model, and so more are simulated than are kept.
WORLDS=('500 500 1000 505' '10k 10000 4000 11200')

# Larger catalogues are grown from the last of these: name and rows.
GROWN=('100k 100000' '1m 1000000')

# Those that are ranked for, in each of them.
LISTENERS=16

PYTHON_PACKAGES=(numpy==2.4.6 faiss-cpu==1.15.1)

verb_bench() {
  local part
  setup_bench
  for part in ${@+"$@"}; do
    [[ $(type -t "bench_$part") == function ]] || wrong_usage "bench has no part '$part'"
  done
  [[ $# -gt 0 ]] || set -- accuracy scan calls
  for part in "$@"; do
    say "bench: $part"
    "bench_$part"
  done
}

setup_bench() {
  setup_rust
  check_node
  setup_wasm_bindgen
  setup_node
  build_cli
  build_pkg
  export SEGUE
}

bench_accuracy() { bench/accuracy.sh; }

bench_scan() {
  setup_scan
  make_catalogues
  side_by_side scan "${CATALOGUES[@]}"
}

bench_calls() {
  setup_scan
  make_catalogues
  side_by_side calls "$BENCH/10k"
}

setup_scan() {
  setup_browser
  setup_peers
  cargo build --release --quiet -p segue-core --examples
}

# side_by_side SET FOLDER…: a set of contenders on the catalogues in FOLDERs.
side_by_side() {
  local set=$1
  shift
  SEGUE_BENCH_PYTHON=$BENCH/python/bin/python SEGUE_BENCH_VENDOR=$BENCH/vendor/ \
    SEGUE_BENCH_SCAN=$TARGET/release/examples/scan \
    node bench/scan/run.mjs "$set" "$BENCH/$set.json" "$@"
}

# Peers from npm and PyPI, and what of them has to be made into something else first.
setup_peers() {
  once bench-npm "$(hash_of bench/package-lock.json)" bench/node_modules install_peers
  once bench-vendor "$(hash_of bench/package-lock.json bench/scan/vendor)" "$BENCH/vendor" make_vendor
  once bench-python "${PYTHON_PACKAGES[*]} $(python3 --version)" "$BENCH/python" install_python
}

install_peers() {
  say 'installing the npm packages to compare with'
  (cd bench && npm ci --ignore-scripts --prefer-offline --no-fund --no-audit --loglevel error >&2)
}

# Pages import them from one file each, as a bundler leaves them.
make_vendor() {
  local out
  out=$(staged vendor)
  node_modules/.bin/wasm-as --enable-simd bench/scan/vendor/limit.wat -o "$out/limit.wasm"
  bench/node_modules/.bin/esbuild bench/scan/vendor/*.mjs --bundle --minify --format=esm \
    --platform=browser --log-level=error --outdir="$out"
  mkdir -p "$BENCH"
  swap_in "$out" "$BENCH/vendor"
}

install_python() {
  need python3 'install Python 3.10 or later with venv'
  say 'installing NumPy and faiss to compare with'
  mkdir -p "$BENCH"
  rm -rf "$BENCH/python"
  python3 -m venv "$BENCH/python"
  "$BENCH/python/bin/pip" install --quiet --no-input "${PYTHON_PACKAGES[@]}"
}

# make_catalogues: in a folder of $BENCH for each, whose paths go to CATALOGUES, a model, its arrays as
# others read them, listeners, and in noise/ a catalogue in which nothing can be ruled out early.
make_catalogues() {
  local made name rows rest
  CATALOGUE=$TARGET/release/examples/catalogue
  CATALOGUES=()
  made="$(hash_of "$SEGUE" bench/data "$CATALOGUE" pkg/wasm) $LISTENERS ${WORLDS[*]}"
  for world in "${WORLDS[@]}" "${GROWN[@]}"; do
    read -r name rows rest <<<"$world"
    # shellcheck disable=SC2086
    once "bench-$name" "$made $world" "$BENCH/$name" make_catalogue "$name" "$rows" $rest
    CATALOGUES+=("$BENCH/$name")
  done
}

# make_catalogue NAME ROWS [LISTENERS TRACKS]
make_catalogue() {
  local name=$1 rows=$2 out
  out=$(staged "$name")
  mkdir "$out/noise"
  if [[ $# -gt 2 ]]; then train_catalogue "$out" "${@:2}"; else grow_catalogue "$out" "$rows"; fi
  "$CATALOGUE" export "$out/model.segue" "$out/listeners.txt" "$out"

  "$CATALOGUE" noise "$rows" "$out/noise/model.segue"
  node bench/data/listeners.mjs - - "$rows" $LISTENERS "$out/noise/listeners.txt"
  "$CATALOGUE" export "$out/noise/model.segue" "$out/noise/listeners.txt" "$out/noise"
  # Only the module is to rank noise.
  rm "$out/noise/factors.f32"
  mkdir -p "$BENCH"
  swap_in "$out" "$BENCH/$name"
}

train_catalogue() {
  local home=$1 rows=$2 world=(--listeners "$3" --tracks "$4" --days 30 --seed 1)
  local events=$home/events.jsonl names=$home/catalogue.jsonl trained=$home/trained.segue
  say "training a catalogue of $rows tracks: ${world[*]}"
  "$SEGUE" simulate "${world[@]}" --out "$events" --catalogue "$names"
  "$SEGUE" train "$events" --catalogue "$names" --out "$trained"
  "$CATALOGUE" cut "$trained" "$rows" "$home/model.segue"
  node bench/data/ids.mjs "$names" "$trained" "$home/ids.txt"
  node bench/data/listeners.mjs "$events" "$trained" "$rows" $LISTENERS "$home/listeners.txt"
  rm "$events"
}

grow_catalogue() {
  local name rest parent
  read -r name rest <<<"${WORLDS[-1]}"
  parent=$BENCH/$name
  say "growing a catalogue of $2 tracks"
  "$CATALOGUE" grow "$parent/trained.segue" "$parent/listeners.txt" "$2" "$1"
}
