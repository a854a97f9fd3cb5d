#!/usr/bin/env bash
# New tracks ranked by artist, album and tags, beside what needs no factors and what plays would tell:
# `newtracks.sh WORLD`, a folder that holds a simulated events.jsonl and catalogue.jsonl.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}
here=$(cd "$(dirname "$0")" && pwd)
echo "simulated: $("$SEGUE" evaluate new --events "$1/events.jsonl" \
  --catalogue "$1/catalogue.jsonl" --json)"
if [[ ! -d $data ]]; then
  echo "skipped: no data in $data; set SEGUE_DATA to the folder that holds 30music and others"
  exit 0
fi
sets=$(mktemp -d)
trap 'rm -rf "$sets"' EXIT
node "$here/lib/newtracks.mjs" "$data" "$sets"
for set in 30music hetrec-lastfm ml-100k; do
  [[ -f $sets/$set.events.jsonl ]] || { echo "skipped: no $data/$set"; continue; }
  catalogue=$sets/$set.catalogue.jsonl
  [[ -f $catalogue ]] || catalogue=
  echo "$set: $("$SEGUE" evaluate new --events "$sets/$set.events.jsonl" \
    ${catalogue:+--catalogue "$catalogue"} --json)"
done
