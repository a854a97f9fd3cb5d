#!/usr/bin/env bash
# Accuracy by the fixed protocol, through the model and the engine that ship, and what coding costs.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}/lastfm-mf
if [[ ! -d $data ]]; then
  echo "skipped: no data in $data; set SEGUE_DATA to the folder that holds lastfm-mf"
  exit 0
fi
for precision in wire int8 f32; do
  echo "$precision: $("$SEGUE" evaluate split --train "$data/train.txt" --valid "$data/valid.txt" \
    --test "$data/test.txt" --precision "$precision" --json)"
done
