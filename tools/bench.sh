# shellcheck shell=bash
# What is measured beside others: catalogues, peers, and the run itself.

BENCH=$STATE/bench

# Worlds to train catalogues on: name, rows that are kept, listeners, tracks. A track that nobody
# heard is no part of a model, and so more are simulated than are kept.
WORLDS=(
  '500 500 1000 505'
  '10k 10000 4000 11200'
  '100k 100000 16000 155000'
  #'1m 1000000 84000 2750000'
)

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
  local world folders=()
  setup_scan
  for world in "${WORLDS[@]}"; do
    # shellcheck disable=SC2086
    make_catalogue $world
    folders+=("$BENCH/${world%% *}")
  done
  side_by_side scan "${folders[@]}"
}

bench_calls() {
  setup_scan
  # shellcheck disable=SC2086
  make_catalogue ${WORLDS[1]}
  side_by_side calls "$BENCH/${WORLDS[1]%% *}"
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

# make_catalogue NAME ROWS LISTENERS TRACKS: in $BENCH/NAME the trained model, its first ROWS rows,
# listeners, and in noise/ a catalogue of as many rows in which nothing can be ruled out early.
make_catalogue() {
  local home=$BENCH/$1 inputs
  inputs="$(hash_of "$SEGUE" bench/data "$TARGET/release/examples/catalogue") $* $LISTENERS"
  once "bench-$1" "$inputs" "$home/noise/tastes.f32" train_catalogue "$home" "${@:2}"
}

train_catalogue() {
  local home=$1 rows=$2 world=(--listeners "$3" --tracks "$4" --days 30 --seed 1)
  local catalogue=$TARGET/release/examples/catalogue
  say "training a catalogue of $rows tracks: ${world[*]}"
  rm -rf "$home"
  mkdir -p "$home/noise"
  "$SEGUE" simulate "${world[@]}" --out "$home/events.jsonl" --catalogue "$home/catalogue.jsonl"
  "$SEGUE" train "$home/events.jsonl" --catalogue "$home/catalogue.jsonl" --out "$home/trained.segue"
  node bench/data/ids.mjs "$home/catalogue.jsonl" "$home/trained.segue" "$home/ids.txt"
  "$catalogue" cut "$home/trained.segue" "$rows" "$home/model.segue"
  node bench/data/listeners.mjs "$home/events.jsonl" "$home/trained.segue" "$rows" $LISTENERS \
    "$home/listeners.txt"
  rm "$home/events.jsonl"
  "$catalogue" export "$home/model.segue" "$home/listeners.txt" "$home"

  "$catalogue" noise "$rows" "$home/noise/model.segue"
  node bench/data/listeners.mjs - - "$rows" $LISTENERS "$home/noise/listeners.txt"
  "$catalogue" export "$home/noise/model.segue" "$home/noise/listeners.txt" "$home/noise"
  rm "$home/noise/factors.f32"
}
