#!/usr/bin/env bash
# What foretells a skip, and how well: on ratings of films, for want of a public log of skips, with and without what
# people disliked before; and on the simulated log. Draws docs/reliability.svg of both.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}
ratings=$data/ml-100k/u.data
if [[ ! -f $ratings ]]; then
  echo "skipped: no $ratings; set SEGUE_DATA to the folder that holds ml-100k"
  exit 0
fi
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
node "$here/lib/verdicts.mjs" "$ratings" >"$folder/ratings.jsonl"
"$SEGUE" evaluate feedback --events "$folder/ratings.jsonl" --json >"$folder/ratings.json"
node -e '
  const { auc, auc_without_skips, intervals, listeners } = JSON.parse(require("fs").readFileSync(process.argv[1]));
  console.log(`with skips ${auc.toFixed(4)}, from a past without ${auc_without_skips.toFixed(4)}, of ${listeners} people`);
  console.log("95 % intervals", JSON.stringify(intervals));
' "$folder/ratings.json"
"$SEGUE" simulate --out "$folder/world.jsonl" --catalogue "$folder/catalogue.jsonl" --json >/dev/null
"$SEGUE" train "$folder/world.jsonl" --catalogue "$folder/catalogue.jsonl" --out "$folder/model.segue" --json >"$folder/world.json"
node "$here/plot/reliability.mjs" docs/reliability.svg "ratings of films=$folder/ratings.json" "simulated listening=$folder/world.json"
