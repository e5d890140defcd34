# Sourced by the other scripts: what this machine must have, with the command that installs it.
# shellcheck shell=bash

missing=()
packages=()

have() { command -v "$1" >/dev/null 2>&1; }

# want WHAT DEBIAN-PACKAGE HOMEBREW-FORMULA
want() {
    missing+=("$1")
    if have brew; then packages+=("$3"); else packages+=("$2"); fi
}

want_to_build() {
    have cc || want "a C compiler (libjpeg-turbo, libwebp, SQLite, zstd)" build-essential gcc
    have cmake || want "cmake (libjpeg-turbo)" cmake cmake
    case $(uname -m) in
        x86_64 | amd64) have nasm || have yasm || want "nasm (libjpeg-turbo's SIMD code)" nasm nasm ;;
    esac
}

# The folder of a Postgres server's programs: on PATH, else where Debian keeps them. Tests look in the same places.
postgres_bin() {
    local folder
    while IFS= read -r folder; do
        if [[ -x $folder/initdb && -x $folder/postgres ]]; then
            echo "$folder"
            return
        fi
    done < <(tr : '\n' <<<"$PATH"; ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort --version-sort --reverse)
    return 1
}

# The first number of `java -version`, 0 where it does not run (macOS has a `java` that only says where to get one).
java_version() {
    local said
    said=$(java -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p')
    echo "${said:-0}"
}

want_to_test() {
    local bin version=0
    if [[ -z ${TEST_DATABASE_URL:-} ]]; then
        if bin=$(postgres_bin); then
            version=$("$bin/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
        fi
        ((version >= 15)) || want "a PostgreSQL server, 15 or later (or TEST_DATABASE_URL)" postgresql postgresql
    fi
    local python=${PYTHON:-python3}
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        want "Python 3.11 or later (or PYTHON=/path/to/one)" python3 python
    fi
    "$python" -c 'import venv, ensurepip' 2>/dev/null || want "Python's venv module" python3-venv python
    if ! have java || (($(java_version) < 17)); then
        want "a Java runtime, 17 or later" default-jre-headless openjdk
    fi
    have mvn || want "Maven (fetches the queue server for tests)" maven maven
}

require_rust() {
    if ! have cargo; then
        echo "missing: Rust. Install rustup (https://rustup.rs):" >&2
        echo "    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" >&2
        echo "then open a new shell. rust-toolchain.toml says which version; rustup fetches it by itself." >&2
        exit 1
    fi
    if ! rustc --version >/dev/null; then
        echo "the toolchain of rust-toolchain.toml could not be used: \`rustup toolchain install\` in this folder" >&2
        exit 1
    fi
}

# require build|test …: says everything that is missing at once, and ends the script.
require() {
    local kind
    require_rust
    for kind in "$@"; do "want_to_$kind"; done
    if ((${#missing[@]} == 0)); then
        return
    fi
    printf 'missing: %s\n' "${missing[@]}" >&2
    if have brew; then
        echo "install:  brew install ${packages[*]}" >&2
    elif [[ $EUID -eq 0 ]]; then
        echo "install:  apt-get install --yes ${packages[*]}" >&2
    else
        echo "install:  sudo apt-get install --yes ${packages[*]}" >&2
    fi
    echo "(package names are Debian's and Ubuntu's, or Homebrew's; other systems have the same under similar names)" >&2
    exit 1
}

# Builds the command-line program and leaves its path in IMAGEML, unless that names one already.
#
# `--workspace --examples` makes Cargo give dependencies the features that tests need too: without it, tests after the
# demo, or the demo after tests, would compile most dependencies again.
build_imageml() {
    if [[ -z ${IMAGEML:-} ]]; then
        cargo build --locked --workspace --bin imageml --examples
        local target
        target=$(cargo metadata --locked --no-deps --format-version 1 | sed -E 's/.*"target_directory":"([^"]*)".*/\1/')
        IMAGEML=$target/debug/imageml
    fi
    [[ -x $IMAGEML ]] || { echo "$IMAGEML is not there" >&2; exit 1; }
}
