# shellcheck shell=bash
# Tools: each is checked before it is used, set up where that can be done here, and otherwise
# named in one line that says how to install it.

CACHE=${XDG_CACHE_HOME:-${HOME:-$STATE}/.cache}/segue
RUST_VERSION=$(sed -nE 's/^rust-version = "([0-9.]+)"$/\1/p' Cargo.toml)
WASM_BINDGEN_VERSION=$(sed -nE 's/^wasm-bindgen = .*"=([0-9.]+)".*$/\1/p' Cargo.toml)
GECKODRIVER_VERSION=0.37.1
NODE_VERSION=$(sed -nE 's/.*"node": ">=([0-9.]+)".*/\1/p' package.json)

# The module uses 128-bit SIMD. Loops of unknown length stay rolled, and all that are not short, which
# saves 5% of its bytes and costs no time; functions are inlined that are small or marked so; and it does not tell whose
# home it was built in. The variable
# reaches that target alone, so that no other build is affected, and the shipped module and the one
# under test are compiled alike.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='-C target-feature=+simd128'
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=' -C llvm-args=-unroll-runtime=false'
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=' -C llvm-args=-unroll-threshold=80'
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=' -C llvm-args=-inline-threshold=60'
crates=${CARGO_HOME:-${HOME:-}/.cargo}
if [[ $crates != *[[:space:]]* ]]; then
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=" --remap-path-prefix=$crates=cargo"
fi
unset crates

# need TOOL HOW: TOOL must be on PATH.
need() { command -v "$1" >/dev/null || fail "$1 is missing: $2"; }

setup_rust() {
  need cargo "install Rust $RUST_VERSION or later with rustup (https://rustup.rs)"
  need cc 'install a C compiler (Debian: apt-get install gcc)'
  rustc --version >/dev/null 2>&1 || find_toolchains
  local found
  found=$(rustc --version 2>/dev/null | cut -d ' ' -f 2) || true
  [[ -n $found ]] || fail "cargo has no toolchain: rustup toolchain install stable --profile minimal -c rustfmt -c clippy"
  at_least "$RUST_VERSION" "$found" || fail "rustc is $found, $RUST_VERSION or later is needed: rustup update stable"
}

# rustup looks for its toolchains under $HOME. Where HOME is not the one that it was installed
# for, they lie beside the folder of the cargo that was found on PATH.
find_toolchains() {
  local beside
  beside=$(dirname "$(dirname "$(dirname "$(command -v cargo)")")")/.rustup
  [[ -z ${RUSTUP_HOME:-} && -d $beside/toolchains ]] || return 0
  say "no toolchain under HOME=${HOME:-}: using those in $beside"
  export RUSTUP_HOME=$beside
}

setup_wasm_target() {
  local target=wasm32-unknown-unknown
  if [[ -d $(rustc --print target-libdir --target $target) ]]; then return; fi
  rustup target add $target >&2 || fail "the Rust target $target is missing: rustup target add $target"
}

# wasm-bindgen reads what the crate of the same version wrote into the module: no other will do.
setup_wasm_bindgen() {
  setup_wasm_target
  local root=$CACHE/wasm-bindgen-$WASM_BINDGEN_VERSION
  if has_wasm_bindgen; then return; fi
  export PATH=$root/bin:$PATH
  if has_wasm_bindgen; then return; fi
  say "installing wasm-bindgen $WASM_BINDGEN_VERSION into $root (once; some minutes)"
  install_unoptimised wasm-bindgen-cli "$WASM_BINDGEN_VERSION" "$root"
}

has_wasm_bindgen() {
  [[ $(wasm-bindgen --version 2>/dev/null) == "wasm-bindgen $WASM_BINDGEN_VERSION" ]] &&
    command -v wasm-bindgen-test-runner >/dev/null
}

check_node() {
  local how="install Node.js $NODE_VERSION or later, with npm (https://nodejs.org)"
  need node "$how"
  need npm "$how"
  local found
  found=$(node --version)
  at_least "$NODE_VERSION" "${found#v}" || fail "node is $found: $how"
}

setup_node() {
  check_node
  once npm "$(hash_of package-lock.json package.json pkg/package.json www/package.json tests/browser/package.json)" \
    node_modules install_npm_packages
}

# No package of the lockfile needs to run a script of its own to be installed.
install_npm_packages() {
  say 'installing npm packages from the lockfile'
  npm ci --ignore-scripts --prefer-offline --loglevel error >&2 ||
    fail 'npm packages could not be installed: see the message above, then run npm ci'
}

# Sets CHROMIUM and CHROMEDRIVER, and installs both where the user may.
setup_browser() {
  find_browser || install_browser || true
  find_browser || fail "no Chromium with its driver: install both (Debian: apt-get install chromium chromium-driver), or name them in CHROMIUM and CHROMEDRIVER"
  export CHROMIUM CHROMEDRIVER
}

find_browser() {
  CHROMIUM=${CHROMIUM:-$(first_of chromium chromium-browser google-chrome-stable google-chrome)}
  CHROMEDRIVER=${CHROMEDRIVER:-$(first_of chromedriver)}
  [[ -x $CHROMIUM && -x $CHROMEDRIVER ]]
}

# first_of NAME…: the path of the first that is on PATH, or nothing.
first_of() {
  local name
  for name in "$@"; do
    if command -v "$name"; then return; fi
  done
}

install_browser() {
  if [[ -n $CHROMIUM && -n $CHROMEDRIVER ]]; then return 1; fi
  apt_install chromium chromium-driver fonts-liberation
}

# Sets FIREFOX and GECKODRIVER, and installs both where the user may. The driver is not exported: the runner of
# tests in WebAssembly would prefer it to that of Chromium.
setup_firefox() {
  find_firefox || apt_install firefox-esr || true
  find_firefox || fail 'no Firefox: install it (Debian: apt-get install firefox-esr), or name it in FIREFOX'
  export FIREFOX
  setup_geckodriver
  export -n GECKODRIVER
}

find_firefox() {
  FIREFOX=${FIREFOX:-$(first_of firefox-esr firefox)}
  [[ -x $FIREFOX ]]
}

setup_geckodriver() {
  local root=$CACHE/geckodriver-$GECKODRIVER_VERSION
  GECKODRIVER=${GECKODRIVER:-$(PATH=$root/bin:$PATH first_of geckodriver)}
  if [[ -x $GECKODRIVER ]]; then return; fi
  say "installing geckodriver $GECKODRIVER_VERSION into $root (once; some minutes)"
  install_unoptimised geckodriver "$GECKODRIVER_VERSION" "$root" --locked
  GECKODRIVER=$root/bin/geckodriver
}

# install_unoptimised CRATE VERSION FOLDER [FLAG…]: compiles in less than half the time, and tools that handle a small
# module or a few messages are as fast. Not every registry has all versions that a crate is locked to.
install_unoptimised() {
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 \
    cargo install --quiet "$1" --version "=$2" --root "$3" "${@:4}" ||
    fail "$1 could not be installed: cargo install $1 --version =$2"
}

# apt_install PACKAGE…: fails where the user may not.
apt_install() {
  command -v apt-get >/dev/null && as_root true 2>/dev/null || return 1
  say "installing with apt-get: $*"
  mkdir -p "$STATE"
  {
    as_root apt-get update &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
  } >"$STATE/apt.log" 2>&1 || say "apt-get failed: see $STATE/apt.log"
}

# as_root COMMAND…: runs COMMAND as root, or fails where that would ask for a password.
as_root() { if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi; }
