#!/usr/bin/env bash
# The next track: Segue beside nearest-session methods, each with settings chosen on what was held out.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}
if [[ ! -d $data ]]; then
  echo "skipped: no data in $data; set SEGUE_DATA to the folder that holds 30music and others"
  exit 0
fi
here=$(cd "$(dirname "$0")" && pwd)
sittings=$(mktemp -d)
trap 'rm -rf "$sittings"' EXIT
node "$here/lib/sittings.mjs" "$data" "$sittings"
# The protocol of lastfm-seq masks what was heard; listeners of 30Music do repeat.
for set in 30music 30music-dense "lastfm-seq --mask"; do
  read -r name mask <<<"$set"
  files=("$sittings/$name.train" "$sittings/$name.test")
  [[ -f ${files[0]} ]] || { echo "skipped: no data for $name"; continue; }
  "$SEGUE" evaluate next --train "${files[0]}" --test "${files[1]}" ${mask:+"$mask"} --json \
    >"$sittings/ours.json"
  printf '\n%s\n\n' "$name"
  "${SEGUE_BENCH_PYTHON:-python3}" "$here/next/run.py" "${files[@]}" "$sittings/ours.json" \
    ${mask:+"$mask"}
done
