#!/usr/bin/env bash
# The one entry to this repository. `./build.sh help` lists the verbs.
#
# Every verb first checks the tools that it needs and sets up what is missing. What it makes is
# staged and swapped in whole, and is made again only when its inputs changed. Nothing is
# installed outside the repository but a Rust target, Debian packages where the user may install
# them, and a cache of tools under ~/.cache/segue.
set -euo pipefail

export CALLER=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
for part in common setup pkg size run check soak bench; do
  # shellcheck source=/dev/null
  source "tools/$part.sh"
done

help() {
  cat <<'TEXT'
usage: ./build.sh VERB

  run [FILE] [--catalogue FILE] [--listen ADDR]
           build everything, train on the listening log FILE (or on a simulated one; the
           catalogue names its tracks), publish the model and serve the player at
           http://127.0.0.1:8787/; 10 to 15 minutes the first time, seconds after that
  test     every check and test, native, in WebAssembly and in headless Chromium and Firefox
  pkg      build the npm package in pkg/ and hold its sizes against pkg/size-budget.json
  size [levels]
           what each part of the package takes; with `levels`, the module's bytes and speed at other
           levels of optimisation
  bench [PART …]
           measure Segue beside others: accuracy, methods, feedback, replay, newtracks, retrained, deltas, live, faults, intake, next,
           last, train, scan, calls, latency, cold, memory, million, size; all without a PART; `train 100000000` goes up to so many
           interactions, not 10000000
  soak     fuzz every decoder of outside bytes, each for SEGUE_SOAK seconds (60)
  lint     formatting, clippy, TypeScript types; shellcheck and cargo-deny where installed
  clean    remove everything that the other verbs made in this folder
  help     print this

environment:
  SEGUE_LISTEN   address that `run` serves on, as --listen
  CHROMIUM       browser that `test` drives, where it is not found on PATH
  CHROMEDRIVER   its driver, likewise
  FIREFOX, GECKODRIVER
                 the same of Firefox
TEXT
}

wrong_usage() {
  say "$1; './build.sh help' lists the verbs"
  exit 2
}

verb_clean() {
  rm -rf target node_modules pkg/{dist,wasm,node_modules} www/{dist,node_modules} \
    tests/browser/{results,node_modules} bench/node_modules "$STATE"
  if [[ -d $CACHE ]]; then say "left for other clones: $CACHE"; fi
}

verb=${1:-help}
[[ $# -eq 0 ]] || shift
case $verb in
  run) run "$@" ;;
  size) verb_size "$@" ;;
  bench) verb_bench "$@" ;;
  help | -h | --help) help ;;
  test | pkg | soak | lint | clean)
    [[ $# -eq 0 ]] || wrong_usage "$verb takes no arguments"
    "verb_$verb"
    ;;
  *) wrong_usage "there is no verb '$verb'" ;;
esac
