# shellcheck shell=bash
# What is measured beside others: catalogues, peers, and the run itself.

BENCH=$STATE/bench

# Worlds to train catalogues on: name, rows that are kept, listeners, tracks. Tracks that nobody
# heard are left out, and so more are simulated than are kept. `player` is the world of
# `./build.sh run`.
WORLDS=(
  '500 500 1000 505' 'player 4700 2000 5000' '10k 10000 4000 11200'
  '100k 100000 10000 260000' '1m 1000000 80000 2800000'
)

# Those that are ranked for, in each of them.
LISTENERS=16

PYTHON_PACKAGES=(numpy==2.4.6 faiss-cpu==1.15.1 scipy==1.17.1 implicit==0.7.3)

# Drawn pairs that are trained on beside `implicit`, and what time and memory are taken of; the command
# line names the largest.
DRAWN=810000
SIZES=(100000 1000000 10000000)

verb_bench() {
  local part
  setup_bench
  if [[ ${1:-} == train && ${2:-} =~ ^[0-9]+$ ]]; then
    sizes_to "$2"
    set -- train
  fi
  for part in ${@+"$@"}; do
    [[ $(type -t "bench_$part") == function ]] || wrong_usage "bench has no part '$part'"
  done
  [[ $# -gt 0 ]] || set -- accuracy methods feedback replay newtracks retrained deltas live faults intake next last train scan calls latency cold memory million size
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
bench_methods() { bench/methods.sh; }
bench_feedback() { setup_plots; bench/feedback.sh; }
bench_replay() { bench/replay.sh; }

# Tracks ranked before anyone has heard them: real logs, and a simulated one.
bench_newtracks() {
  local home=$BENCH/world
  mkdir -p "$home"
  simulate_world "$home" 2000 5000
  bench/newtracks.sh "$home"
}

# What stays when a model is trained again, on the same logs.
bench_retrained() {
  local home=$BENCH/world
  cargo build --release --quiet -p segue-train --example held_out
  mkdir -p "$home"
  simulate_world "$home" 2000 5000
  bench/retrained.sh "$home" "$TARGET/release/examples/held_out"
}

# What the next version costs a device, beside what general tools make of the same files.
bench_deltas() {
  local home=$BENCH/deltas
  setup_patchers
  cargo build --release --quiet -p segue-core --example delta
  mkdir -p "$home"
  "$SEGUE" simulate --listeners 8000 --tracks 45000 --days 60 --seed 1 \
    --out "$home/events.jsonl" --catalogue "$home/catalogue.jsonl"
  # A year of fewer listeners in a catalogue of 100,000 tracks.
  mkdir -p "$home/year"
  "$SEGUE" simulate --listeners 2000 --tracks 100000 --days 365 --seed 3 \
    --out "$home/year/events.jsonl" --catalogue "$home/year/catalogue.jsonl"
  bench/deltas.sh "$home" "$TARGET/release/examples/delta"
}

# How soon a page that is open uses what is published: a catalogue of 100,000 tracks, and what a day adds.
bench_live() {
  local home=$BENCH/live
  setup_browser
  mkdir -p "$home"
  "$SEGUE" simulate --listeners 10000 --tracks 100000 --days 30 --seed 2 \
    --out "$home/events.jsonl" --catalogue "$home/catalogue.jsonl"
  node bench/lib/cut.mjs "$home/events.jsonl" "$home"
  "$SEGUE" train "$home/day.jsonl" --catalogue "$home/catalogue.jsonl" --out "$home/before.segue"
  "$SEGUE" train "$home/events.jsonl" --catalogue "$home/catalogue.jsonl" --update "$home/before.segue" \
    --out "$home/after.segue"
  node bench/live/run.mjs "$SEGUE" "$home/before.segue" "$home/after.segue" 40
}

bench_faults() {
  node bench/faults/run.mjs "${FAULTS:-12000}"
  node bench/faults/publish.mjs "$SEGUE" 300
}

# What a collector takes in a second, and what it loses when it is killed or its disk is full: nothing.
bench_intake() {
  cargo build --release --quiet -p segue-serve --example load
  node bench/intake/run.mjs "$SEGUE" "$TARGET/release/examples/load"
  node bench/intake/faults.mjs "$SEGUE" 240
}

setup_patchers() {
  local tool missing=()
  for tool in zstd bsdiff xdelta3 brotli; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [[ ${#missing[@]} -eq 0 ]] || apt_install "${missing[@]}" || true
  for tool in ${missing[@]+"${missing[@]}"}; do
    need "$tool" "install it (Debian: apt-get install $tool)"
  done
}

bench_next() {
  setup_python
  SEGUE_BENCH_PYTHON=$BENCH/python/bin/python bench/next.sh
}

# The items of `lastfm-seq` before the last, each in turn.
bench_last() {
  local lists=${SEGUE_DATA:-../shared/data}/lastfm-seq/LastFM.txt
  [[ -f $lists ]] || { say "skipped: no $lists"; return 0; }
  setup_python
  "$BENCH/python/bin/python" bench/next/last.py "$SEGUE" "$lists"
}

# Training beside `implicit`, and time and memory against size.
bench_train() {
  local data=${SEGUE_DATA:-../shared/data} folder=$BENCH/train size sets=()
  setup_python
  setup_plots
  cargo build --release --quiet -p segue-train --example als
  pairs lastfm-mf lists "$data/lastfm-mf/train.txt" "$data/lastfm-mf/valid.txt"
  pairs 30music-artists artists "$data/30music/plays.tsv"
  pairs "pairs-$DRAWN" drawn "$DRAWN"
  "$BENCH/python/bin/python" bench/train/run.py "$TARGET/release/examples/als" \
    "$folder/race.json" "${sets[@]}"
  for size in "${SIZES[@]}"; do
    pairs "pairs-$size" drawn "$size"
    once "bench-events-$size" "$(hash_of "$SEGUE")" "$folder/events-$size.jsonl.zst" simulate_packed "$size"
  done
  "$BENCH/python/bin/python" bench/train/scale.py "$TARGET/release/examples/als" "$SEGUE" "$folder" \
    "$folder/scale.json" "${SIZES[@]}"
  node bench/plot/training.mjs "$folder/scale.json" docs/training-{seconds,memory}.svg
  say 'drawn: docs/training-seconds.svg, docs/training-memory.svg'
}

# sizes_to LARGEST: a hundred thousand, and every tenfold of it up to LARGEST.
sizes_to() {
  SIZES=()
  local size
  for ((size = 100000; size <= $1; size *= 10)); do SIZES+=("$size"); done
  [[ ${#SIZES[@]} -gt 0 ]] || wrong_usage 'bench train takes at least 100000 interactions'
}

# pairs NAME KIND ARGUMENT…: pairs to train on in a folder of that name, which joins `sets`; nothing where
# a file that they are made of is absent.
pairs() {
  local folder=$BENCH/train/$1 file
  for file in "${@:3}"; do
    [[ $file != */* || -e $file ]] || { say "skipped: no $file"; return; }
  done
  once "bench-$1" "$(hash_of bench/lib/pairs.py) ${*:2}" "$folder" draw_pairs "$folder" "${@:2}"
  sets+=("$folder")
}

draw_pairs() {
  local out
  out=$(staged pairs)
  "$BENCH/python/bin/python" bench/lib/pairs.py "${@:2}" "$out"
  mkdir -p "$(dirname "$1")"
  swap_in "$out" "$1"
}

# simulate_packed EVENTS: a log of about so many, which a hundred million need not fill the disk for.
simulate_packed() {
  local out
  need zstd 'install Zstandard (Debian: apt-get install zstd)'
  out=$(staged events)
  say "simulating about $1 events"
  mkfifo "$out/pipe"
  zstd -q -3 -o "$out/events" <"$out/pipe" &
  # What a listener does in thirty days is 250 events or so.
  "$SEGUE" simulate --listeners $(($1 / 250)) --tracks $(($1 / 100)) --days 30 --seed 1 --out "$out/pipe"
  wait $!
  swap_in "$out/events" "$BENCH/train/events-$1.jsonl.zst"
}

bench_scan() {
  setup_scan
  make_catalogues 500 10k 100k 1m
  side_by_side scan "${CATALOGUES[@]}"
  node bench/plot/plot.mjs "$BENCH/scan.json" docs/scan.svg
  say 'drawn: docs/scan.svg'
}

bench_calls() {
  setup_scan
  make_catalogues 10k
  side_by_side calls "${CATALOGUES[@]}"
}

# Single calls where a model has every signal, one after the other.
bench_latency() {
  setup_browser
  cargo build --release --quiet -p segue-core --examples
  make_catalogues player
  node bench/latency/run.mjs "$BENCH/latency.json" "${CATALOGUES[0]}"
}

bench_cold() {
  local registry=$BENCH/cold/registry www=$BENCH/cold/www
  setup_scan
  make_catalogues player
  local model=${CATALOGUES[0]}/trained.segue
  once bench-registry "$(hash_of "$SEGUE" "$model")" "$registry" \
    "$SEGUE" publish "$model" --registry "$registry"
  once bench-www "$(hash_of "${CATALOGUES[0]}" bench/cold bench/package-lock.json pkg/dist pkg/wasm)" \
    "$www" make_pages "$www"
  node bench/cold/run.mjs "$SEGUE" "$registry" "$www" "$BENCH/cold.json"
}

make_pages() {
  local out
  say 'bundling the pages whose first ranking is timed'
  out=$(staged pages)
  node bench/cold/make.mjs "${CATALOGUES[0]}" "$out"
  swap_in "$out" "$1"
}

bench_memory() {
  setup_scan
  make_catalogues 100k 1m
  node bench/memory/run.mjs "$BENCH/memory.json" "${CATALOGUES[@]}"
}

# A catalogue of a million tracks as it ships, split: its bytes, what a page misses that has a part of
# it, what that holds in memory, and what coding costs.
bench_million() {
  local home=$BENCH/million
  setup_scan
  cargo build --release --quiet -p segue-train --examples
  once bench-million "$(hash_of "$SEGUE" bench/data)" "$home" make_million "$home"
  "$SEGUE" inspect "$home/trained.segue"
  cat "$home/download.txt"
  node bench/scan/whole.mjs "$home/trained.segue" "$home/listeners.txt"
  node bench/memory/run.mjs "$BENCH/million.json" "$home"
  "$TARGET/release/examples/shards" "$home/trained.segue" "$home/events.jsonl" 100
  "$TARGET/release/examples/held_out" precisions "$home/events.jsonl" 1000
}

make_million() {
  local out
  out=$(staged million)
  say 'training a catalogue of a million tracks'
  simulate_world "$out" 80000 2800000
  "$SEGUE" train "$out/events.jsonl" --catalogue "$out/catalogue.jsonl" --heard-only \
    --out "$out/trained.segue"
  node bench/data/registry.mjs "$out/trained.segue" "$out/registry" >"$out/download.txt"
  # Rows of a split catalogue are numbered shard by shard: all of them are wanted.
  node bench/data/listeners.mjs "$out/events.jsonl" "$out/trained.segue" $((1 << 32)) $LISTENERS \
    "$out/listeners.txt"
  swap_in "$out" "$1"
}

# simulate_world FOLDER LISTENERS TRACKS
simulate_world() {
  "$SEGUE" simulate --listeners "$2" --tracks "$3" --days 30 --seed 1 \
    --out "$1/events.jsonl" --catalogue "$1/catalogue.jsonl"
}

bench_size() {
  report_parts
  report_levels
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
  setup_plots
  once bench-vendor "$(hash_of bench/package-lock.json bench/scan/vendor)" "$BENCH/vendor" make_vendor
  setup_python
}

setup_plots() {
  once bench-npm "$(hash_of bench/package-lock.json)" bench/node_modules install_peers
}

setup_python() {
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
  say 'installing NumPy, faiss and implicit to compare with'
  mkdir -p "$BENCH"
  rm -rf "$BENCH/python"
  python3 -m venv "$BENCH/python"
  "$BENCH/python/bin/pip" install --quiet --no-input "${PYTHON_PACKAGES[@]}"
}

# make_catalogues NAME…: in a folder of $BENCH for each, whose paths go to CATALOGUES, a model, its
# arrays as others read them, listeners, and in noise/ a catalogue in which nothing can be ruled out
# early.
make_catalogues() {
  local name
  CATALOGUE=$TARGET/release/examples/catalogue
  CATALOGUES=()
  for name in "$@"; do
    make_catalogue "$name"
    CATALOGUES+=("$BENCH/$name")
  done
}

make_catalogue() {
  local made world name rest
  made="$(hash_of "$SEGUE" bench/data "$CATALOGUE") $LISTENERS"
  for world in "${WORLDS[@]}"; do
    read -r name rest <<<"$world"
    # shellcheck disable=SC2086
    [[ $name != "$1" ]] || once "bench-$name" "$made $rest" "$BENCH/$name" fill "$name" $rest
  done
}

# fill NAME ROWS LISTENERS TRACKS
fill() {
  local name=$1 rows=$2 out
  out=$(staged "$name")
  mkdir "$out/noise"
  train_catalogue "$out" "${@:2}"
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
  local home=$1 rows=$2
  local events=$home/events.jsonl names=$home/catalogue.jsonl trained=$home/trained.segue
  say "training a catalogue of $rows tracks"
  simulate_world "$home" "$3" "$4"
  # Whole, however large: what is measured is a scan of all of it.
  "$SEGUE" train "$events" --catalogue "$names" --heard-only --head "$4" --out "$trained"
  "$CATALOGUE" cut "$trained" "$rows" "$home/model.segue"
  node bench/data/ids.mjs "$names" "$trained" "$home/ids.txt"
  node bench/data/listeners.mjs "$events" "$trained" "$rows" $LISTENERS "$home/listeners.txt"
  rm "$events"
}
