# shellcheck shell=bash
# Tests and lints: every check runs, whatever the others found, and is counted at the end.

LOGS=$STATE/logs
passed=0
failed=0
summary=()

verb_test() {
  setup_rust
  check_node
  setup_browser
  setup_firefox
  setup_node
  setup_wasm_bindgen
  test_settings

  lint_rust
  check 'pkg: build' build_pkg
  check 'pkg: size within budget' report_size
  lint_typescript
  tests 'Rust' cargo test --workspace --no-fail-fast
  tests 'WebAssembly in Chromium' cargo test -p segue-wasm --target wasm32-unknown-unknown
  tests 'WebAssembly in Firefox' in_firefox cargo test -p segue-wasm --target wasm32-unknown-unknown
  check 'www: build' build_www
  tests 'npm package' node --test --test-reporter=spec pkg/test/*.test.mjs
  tests 'package and player in Chromium' node --test --test-reporter=spec tests/browser/*.test.mjs
  tests 'package in Firefox' env BROWSER=firefox node --test --test-reporter=spec tests/browser/{package,sync}.test.mjs
  conclude
}

verb_lint() {
  setup_rust
  setup_wasm_bindgen
  setup_node
  lint_rust
  check 'pkg: build' build_pkg
  lint_typescript
  check_if_present shellcheck -x build.sh .ci/run tools/*.sh bench/*.sh
  check_if_present cargo-deny --log-level warn check
  conclude
}

# A compiler that is newer than the one this was written with knows lints that it could not heed:
# those are shown, and fail nothing.
lint_rust() {
  local found strict=()
  found=$(rustc --version | cut -d ' ' -f 2)
  if [[ $found == "$RUST_VERSION".* ]]; then strict=(-D warnings); fi
  check 'rustfmt' cargo fmt --all --check
  check 'clippy' cargo clippy --quiet --workspace --all-targets -- ${strict[@]+"${strict[@]}"}
  check 'clippy, wasm32' cargo clippy --quiet -p segue-wasm --all-targets \
    --target wasm32-unknown-unknown -- ${strict[@]+"${strict[@]}"}
  check 'clippy, the module' cargo clippy --quiet -p segue-wasm --no-default-features \
    --target wasm32-unknown-unknown -- ${strict[@]+"${strict[@]}"}
}

lint_typescript() {
  local project
  for project in pkg www tests/browser; do
    if [[ -f $project/tsconfig.json ]]; then
      check "types: $project" node_modules/.bin/tsc --noEmit -p "$project"
    fi
  done
}

# What the tests are to use: the command that `cargo test` builds for its own tests of it, and the
# browsers that were found.
test_settings() {
  mkdir -p "$STATE"
  export SEGUE=$TARGET/debug/segue
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
  export WASM_BINDGEN_USE_BROWSER=1
  export WASM_BINDGEN_TEST_WEBDRIVER_JSON=$STATE/webdriver.json
  node -e '
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--disable-sync"];
    const options = { binary: process.env.CHROMIUM, args };
    console.log(JSON.stringify({ "goog:chromeOptions": options }));
  ' >"$WASM_BINDGEN_TEST_WEBDRIVER_JSON"
  node -e '
    const options = { binary: process.env.FIREFOX };
    console.log(JSON.stringify({ "moz:firefoxOptions": options }));
  ' >"$STATE/firefox.json"
}

# in_firefox COMMAND…: runs COMMAND, whose tests in WebAssembly are then those of Firefox.
in_firefox() {
  env GECKODRIVER="$GECKODRIVER" WASM_BINDGEN_TEST_WEBDRIVER_JSON="$STATE/firefox.json" "$@"
}

# check NAME COMMAND…: runs COMMAND, and counts it as one that passed or failed.
check() {
  local name=$1
  shift
  logged "$name" "$@"
  if [[ $status -eq 0 ]]; then count "$name" 1 0; else count "$name" 0 1; fi
}

# check_if_present TOOL ARGUMENT…: a check that is left out, in so many words, without its tool.
check_if_present() {
  if command -v "$1" >/dev/null; then check "$@"; else say "$1 is not installed: left out"; fi
}

# tests NAME COMMAND…: runs COMMAND, a test runner, and counts the tests that it reports. One that
# fails for another reason, or that ran no test at all, counts as one that failed.
tests() {
  local name=$1 good bad
  shift
  logged "$name" "$@"
  read -r good bad < <(count_tests "$(log_of "$name")")
  if [[ $bad -eq 0 && ($status -ne 0 || $good -eq 0) ]]; then bad=1; fi
  count "$name" "$good" "$bad"
}

# count_tests LOG: "passed failed", summed over the closing lines of cargo's and of node's runners.
count_tests() {
  awk '
    /^test result: / { passed += $4; failed += $6 }
    /^(#|ℹ) pass [0-9]+$/ { passed += $3 }
    /^(#|ℹ) (fail|cancelled) [0-9]+$/ { failed += $3 }
    END { print passed + 0, failed + 0 }
  ' "$1"
}

log_of() { printf '%s/%s.log' "$LOGS" "$(printf '%s' "$1" | tr -c 'A-Za-z0-9' '-')"; }

# logged NAME COMMAND…: runs COMMAND with its output both shown and kept, and leaves its exit code
# in `status`. It is not returned: bash ignores `set -e` in all that runs under an `if` or a `||`,
# and a COMMAND of several steps would go on past one that failed.
logged() {
  local name=$1
  shift
  mkdir -p "$LOGS"
  printf '\n== %s\n' "$name"
  set +e
  (
    set -e
    "$@"
  ) 2>&1 | tee "$(log_of "$name")"
  status=${PIPESTATUS[0]}
  set -e
}

count() {
  passed=$((passed + $2))
  failed=$((failed + $3))
  summary+=("$(printf '%6d passed %4d failed   %s' "$2" "$3" "$1")")
}

# The summary, and one last plain line with the sums.
conclude() {
  printf '\n'
  printf '%s\n' "${summary[@]}"
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [[ $failed -eq 0 ]]
}
