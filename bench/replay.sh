#!/usr/bin/env bash
# How far off what `segue evaluate replay` estimates is, over simulated worlds of which the truth is known:
# `replay.sh [WORLDS]`.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --release --quiet -p segue-tests --example replay -- "${1:-20}"
