#!/usr/bin/env bash
# What each method of making factors reaches at its best on sets that are unlike each other, and what the
# one that is chosen reaches on the test part.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}
here=$(cd "$(dirname "$0")" && pwd)
splits=$(mktemp -d)
trap 'rm -rf "$splits"' EXIT
node "$here/lib/splits.mjs" "$data" "$splits"
for train in "$splits"/*.train; do
  name=$(basename "$train" .train)
  echo "$name: $("$SEGUE" evaluate split --train "$train" --test "$splits/$name.test" --json)"
done
