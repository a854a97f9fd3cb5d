# shellcheck shell=bash
# What takes longer than a test may: every decoder of outside bytes under the fuzzer.

CARGO_FUZZ_VERSION=0.13.1

setup_cargo_fuzz() {
  local root=$CACHE/cargo-fuzz-$CARGO_FUZZ_VERSION
  export PATH=$root/bin:$PATH
  if cargo fuzz --version >/dev/null 2>&1; then return; fi
  need c++ 'install a C++ compiler (Debian: apt-get install g++)'
  say "installing cargo-fuzz $CARGO_FUZZ_VERSION into $root (once)"
  cargo install --quiet cargo-fuzz --version "=$CARGO_FUZZ_VERSION" --root "$root" ||
    fail "cargo-fuzz could not be installed: cargo install cargo-fuzz"
}

# Each target for $SEGUE_SOAK seconds. What is found lies in fuzz/artifacts; inputs that reached
# something new are kept for the next time.
verb_soak() {
  setup_rust
  setup_cargo_fuzz
  mkdir -p "$STATE/logs"
  local target seconds=${SEGUE_SOAK:-60} corpus found=0
  for target in $(cargo fuzz list); do
    corpus=fuzz/corpus/$target
    mkdir -p "$corpus"
    if [[ -d fuzz/seeds/$target ]]; then cp -n fuzz/seeds/"$target"/* "$corpus"; fi
    if [[ $target == model ]]; then cp -n pkg/test/fixtures/*.segue tests/golden/*.segue "$corpus"; fi
    say "fuzzing $target for $seconds s"
    # Without a sanitizer, which stable Rust does not have: checks of overflow and assertions are on.
    cargo fuzz run --release --debug-assertions --sanitizer none "$target" -- \
      -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=65536 \
      -print_final_stats=1 >"$STATE/logs/fuzz-$target.log" 2>&1 || found=$((found + 1))
    grep -E 'number_of_executed_units|new_units_added|SUMMARY|panicked' "$STATE/logs/fuzz-$target.log" || true
  done
  [[ $found -eq 0 ]] || fail "the fuzzer broke $found targets: see fuzz/artifacts and $STATE/logs"
}
