#!/usr/bin/env bash
# Accuracy by the fixed protocols, through the model and the engine that ship, and what coding costs.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}
if [[ ! -d $data ]]; then
  echo "skipped: no data in $data; set SEGUE_DATA to the folder that holds lastfm-mf and others"
  exit 0
fi
here=$(cd "$(dirname "$0")" && pwd)
split=$data/lastfm-mf
for precision in wire int8 f32; do
  [[ -d $split ]] || { echo "skipped: no $split"; break; }
  echo "lastfm-mf, $precision: $("$SEGUE" evaluate split --train "$split/train.txt" \
    --valid "$split/valid.txt" --test "$split/test.txt" --precision "$precision" --json)"
done
sittings=$(mktemp -d)
trap 'rm -rf "$sittings"' EXIT
node "$here/lib/sittings.mjs" "$data" "$sittings"
# The protocol of lastfm-seq masks what was heard; listeners of 30Music do repeat.
for set in "lastfm-seq --mask" 30music; do
  read -r name mask <<<"$set"
  [[ -f $sittings/$name.train ]] || { echo "skipped: no $data/$name"; continue; }
  echo "$name: $("$SEGUE" evaluate next --train "$sittings/$name.train" \
    --test "$sittings/$name.test" ${mask:+"$mask"} --json)"
done
