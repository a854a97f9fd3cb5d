# shellcheck shell=bash
# What every verb shares: messages, hashes, and making a thing once.

# Everything that the verbs keep between runs lies here, ignored by git.
STATE=$PWD/.segue
STAGE=$STATE/stage.$$

trap 'rm -rf "$STAGE"' EXIT

say() { printf 'segue: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# GNU's name for it, or else the one of macOS and BSD.
SHA256=(sha256sum)
command -v sha256sum >/dev/null || SHA256=(shasum -a 256)

# hash_of PATH…: one hash over the names and contents of files, and of folders' files. Links are
# followed: it is what they lead to that is read.
hash_of() {
  find -L "$@" -type f -not -path '*/node_modules/*' -print0 | LC_ALL=C sort -z |
    xargs -0 "${SHA256[@]}" | "${SHA256[@]}" | cut -c 1-64
}

# hash_text TEXT…: one hash over the arguments.
hash_text() { printf '%s\n' "$@" | "${SHA256[@]}" | cut -c 1-64; }

# once NAME INPUTS OUTPUT COMMAND…: runs COMMAND, which makes OUTPUT, unless OUTPUT is there and
# was made from the same INPUTS (a hash). A command that fails or is interrupted leaves no stamp
# and so is run again.
once() {
  local stamp=$STATE/stamps/$1 inputs=$2 output=$3
  shift 3
  [[ ! -e $output || ! -f $stamp || $(<"$stamp") != "$inputs" ]] || return 0
  rm -f "$stamp"
  "$@"
  mkdir -p "$(dirname "$stamp")"
  printf '%s' "$inputs" >"$stamp"
}

# staged NAME: the path of a new, empty folder to build into.
staged() {
  rm -rf "${STAGE:?}/$1"
  mkdir -p "$STAGE/$1"
  printf '%s' "$STAGE/$1"
}

# swap_in STAGED TARGET: puts a finished folder where the old one was.
swap_in() {
  rm -rf "$STAGE/old"
  [[ ! -e $2 ]] || mv "$2" "$STAGE/old"
  mv "$1" "$2"
}

# at_least WANTED FOUND: whether version FOUND is WANTED or later.
at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }
