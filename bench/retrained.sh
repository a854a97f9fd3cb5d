#!/usr/bin/env bash
# What stays when a model is trained again: taste clusters, and how soon warm factors are as good as new
# ones: `retrained.sh WORLD HELD_OUT`, a folder that holds a simulated events.jsonl, and the example that
# compares epoch by epoch.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}
logs=("$1/events.jsonl")
if [[ -f $data/30music/plays.tsv ]]; then
  logs+=("$data/30music/plays.tsv")
else
  echo "skipped: no 30music in $data; set SEGUE_DATA to the folder that holds it"
fi
for log in "${logs[@]}"; do
  echo "$log, clusters: $("$SEGUE" evaluate clusters --events "$log" --json)"
  printf '%s, warm:\n' "$log"
  "$2" warm "$log"
done
