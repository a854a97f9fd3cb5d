#!/usr/bin/env bash
# What the next version of a model costs a device that has the one before, beside what general tools make of the same two
# files: `deltas.sh WORLD DELTA`, a folder that holds a simulated events.jsonl and catalogue.jsonl, another such world in `year`,
# and the example of segue-core. Of each log the latest 3 % of events, the last day and the last hour are what the earlier version lacks.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}
here=$(cd "$(dirname "$0")" && pwd)
world=$1 delta=$2

# versions NAME LOG [CATALOGUE]: the model before, whatever is lacked the longest; then one of the others after another.
versions() {
  local name=$1 log=$2 catalogue=${3:-} folder=$world/deltas/$1 part before=
  mkdir -p "$folder"
  node "$here/lib/cut.mjs" "$log" "$folder"
  for part in share day hour now; do
    local events=$folder/$part.${log##*.} model=$folder/$part.segue
    [[ $part != now ]] || events=$log
    if [[ -z $before ]]; then
      "$SEGUE" train "$events" ${catalogue:+--catalogue "$catalogue"} --out "$model" --json >"$folder/$part.json"
    else
      told "$name" "$before" "$part" "$events" "$catalogue"
    fi
    before=$part
  done
  # All that the first one lacks at once.
  told "$name" share now "$log" "$catalogue"
}

# told NAME BEFORE PART EVENTS CATALOGUE: one update, and what it costs.
told() {
  local name=$1 before=$2 part=$3 events=$4 catalogue=$5 folder=$world/deltas/$1
  local old=$folder/$before.segue new=$folder/$before-$part.segue
  "$SEGUE" train "$events" ${catalogue:+--catalogue "$catalogue"} --update "$old" --out "$new" --json >"$new.json"
  [[ $before == share && $part == now ]] || cp "$new" "$folder/$part.segue"
  local sizes
  sizes=$("$delta" "$old" "$new" "$folder/delta")
  zstd -q -22 --ultra --long=27 -f --patch-from="$old" "$new" -o "$folder/zstd" 2>/dev/null
  bsdiff "$old" "$new" "$folder/bsdiff"
  xdelta3 -q -f -e -9 -S lzma -s "$old" "$new" "$folder/xdelta"
  brotli -q 11 -w 24 -f "$new" -o "$folder/brotli"
  node -e '
    const [name, before, part, sizes, update, ...files] = process.argv.slice(1);
    const { statSync, readFileSync } = require("node:fs");
    const { model, delta, encode_ms, apply_ms, read_ms } = JSON.parse(sizes);
    const { agreement, agreement_before, agreement_of_new_tracks, agreement_with_trained, agreement_of_whole_with_trained, new_tracks, seconds } =
      JSON.parse(readFileSync(update));
    const others = files.map((file) => `${file.split("/").at(-1)} ${statSync(file).size}`).join(", ");
    console.log(`${name}, ${before} → ${part}: ${delta} bytes, 1/${(model / delta).toFixed(1)} of ${model}; ${others}`);
    console.log(`  agreement ${agreement.toFixed(4)} (${agreement_before.toFixed(4)} before; of new tracks alone ${agreement_of_new_tracks.toFixed(4)}), with the factors as trained ${agreement_with_trained.toFixed(4)} (coded whole ${agreement_of_whole_with_trained.toFixed(4)}); ${new_tracks} new tracks`);
    console.log(`  trained in ${seconds.toFixed(1)} s, coded in ${encode_ms} ms, applied in ${apply_ms} ms natively, where reading the whole takes ${read_ms}`);
  ' "$name" "$before" "$part" "$sizes" "$new.json" "$folder/zstd" "$folder/bsdiff" "$folder/xdelta" "$folder/brotli"
}

versions simulated "$world/events.jsonl" "$world/catalogue.jsonl"
versions year "$world/year/events.jsonl" "$world/year/catalogue.jsonl"
if [[ -f $data/30music/plays.tsv ]]; then
  versions 30music "$data/30music/plays.tsv"
else
  echo "skipped: no $data/30music; set SEGUE_DATA to the folder that holds it"
fi
