#!/usr/bin/env bash
# Whether what people go on to like ranks above what they go on to dislike, with and without what they disliked
# before: on ratings of films, for want of a public log of skips.
set -euo pipefail
data=${SEGUE_DATA:-../shared/data}
ratings=$data/ml-100k/u.data
if [[ ! -f $ratings ]]; then
  echo "skipped: no $ratings; set SEGUE_DATA to the folder that holds ml-100k"
  exit 0
fi
here=$(cd "$(dirname "$0")" && pwd)
events=$(mktemp --suffix=.jsonl)
trap 'rm -f "$events"' EXIT
node "$here/lib/verdicts.mjs" "$ratings" >"$events"
"$SEGUE" evaluate feedback --events "$events"
