# shellcheck shell=bash
# From a listening log to a served player: simulate, train, publish, serve.

SEGUE=$TARGET/release/segue

# The world that is simulated where no log is given.
WORLD=(--listeners 2000 --tracks 5000 --days 30 --seed 1)

run() {
  local log='' catalogue='' listen=${SEGUE_LISTEN:-127.0.0.1:8787}
  while [[ $# -gt 0 ]]; do
    case $1 in
      --listen)
        [[ $# -gt 1 ]] || wrong_usage '--listen wants an address, such as 127.0.0.1:8787'
        listen=$2
        shift
        ;;
      --catalogue)
        [[ $# -gt 1 ]] || wrong_usage '--catalogue wants a file that names the tracks of FILE'
        catalogue=$2
        shift
        ;;
      -*) wrong_usage "run has no option '$1'" ;;
      *)
        [[ -z $log ]] || wrong_usage "run takes one FILE, not also '$1'"
        log=$1
        ;;
    esac
    shift
  done
  if [[ -n $log ]]; then log=$(absolute "$log"); fi
  if [[ -n $catalogue ]]; then
    [[ -n $log ]] || wrong_usage '--catalogue goes with a FILE: the simulated log has its own'
    catalogue=$(absolute "$catalogue")
  fi

  setup_rust
  check_node
  build_cli
  setup_wasm_bindgen
  setup_node
  build_pkg
  build_www
  report_size || say 'the module is over its budget; serving it all the same'
  serve_player "$log" "$catalogue" "$listen"
}

# absolute FILE: its full path, from the folder that the caller was in.
absolute() {
  local file=$1
  [[ $file == /* ]] || file=$CALLER/$file
  [[ -f $file && -r $file ]] || fail "$1 cannot be read: give the path of a file"
  printf '%s/%s' "$(cd "$(dirname "$file")" && pwd)" "$(basename "$file")"
}

build_cli() {
  say 'building the segue command'
  cargo build --release -p segue-cli
}

build_www() {
  local file inputs=(pkg/dist pkg/wasm tsconfig.base.json package-lock.json)
  for file in www/*; do
    [[ $file == www/dist ]] || inputs+=("$file")
  done
  once www "$(hash_of "${inputs[@]}")" www/dist bundle_www
}

bundle_www() {
  say 'building the player'
  local out
  out=$(staged www)
  (cd www && ../node_modules/.bin/vite build --outDir "$out" --emptyOutDir --logLevel warn)
  swap_in "$out" www/dist
}

# serve_player LOG CATALOGUE LISTEN: every log has a folder of its own, so that going back to one is
# quick.
serve_player() {
  local log=$1 catalogue=$2 listen=$3 name=simulated
  if [[ -n $log ]]; then name=$(basename "$log")-$(hash_text "$log" | cut -c 1-8); fi
  local home=$STATE/run/$name
  mkdir -p "$home"

  if [[ -n $log ]]; then
    publish "$name" "$log" ${catalogue:+--catalogue "$catalogue"}
  else
    once "run/$name-log" "$(hash_of "$SEGUE") ${WORLD[*]}" "$home/events.jsonl" simulate "$home"
    publish "$name" "$home/events.jsonl" --catalogue "$home/catalogue.jsonl"
  fi

  page_for "$home"
  rm -rf "$STAGE"
  exec "$SEGUE" serve --registry "$home/registry" --keys "$home/keys" --www "$home/www" --listen "$listen"
}

# page_for HOME: the player, with the public key that its model must be signed by.
page_for() {
  local out key
  key=$("$SEGUE" keys list --keys "$1/keys" --json |
    node -e 'console.log(JSON.parse(require("node:fs").readFileSync(0)).public_key)')
  out=$(staged www)
  cp -r www/dist/. "$out"
  sed -i "s/name=\"segue-public-key\" content=\"\"/name=\"segue-public-key\" content=\"$key\"/" "$out/index.html"
  swap_in "$out" "$1/www"
}

simulate() {
  say "simulating a listening log: ${WORLD[*]}"
  "$SEGUE" simulate "${WORLD[@]}" --out "$1/events.jsonl" --catalogue "$1/catalogue.jsonl"
}

# publish NAME LOG [--catalogue FILE]: trains on LOG and publishes the model in .segue/run/NAME, signed with keys of its own
# that lie beside it and not in what is served.
publish() {
  local name=$1 log=$2 home=$STATE/run/$1
  shift 2
  once "run/$name-model" "$(hash_of "$SEGUE" "$log" "${@:2}")" "$home/model.segue" \
    "$SEGUE" train "$log" "$@" --out "$home/model.segue"
  [[ -d $home/keys ]] || "$SEGUE" keys new --keys "$home/keys"
  once "run/$name-registry" "$(hash_of "$SEGUE" "$home/model.segue")" "$home/registry" \
    "$SEGUE" publish "$home/model.segue" --registry "$home/registry" --keys "$home/keys"
}
