#!/bin/sh
# Installs everything that Calque is built from, on Debian 12, Debian 13 and Ubuntu 24.04. Run as
# root, or as a user who may use sudo. When everything is there already it does nothing.
#   scripts/setup.sh           what the program and its tests need
#   scripts/setup.sh --fuzz    also what scripts/fuzz.sh needs: clang with libFuzzer
set -eu

packages="
  build-essential cmake ninja-build pkg-config python3
  libeigen3-dev libdnnl-dev
  libfmt-dev libspdlog-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev
  zlib1g-dev libxxhash-dev libicu-dev libsentencepiece-dev
  catch2"

if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  echo "setup: no apt-get here. Please install what these Debian packages contain:" $packages >&2
  exit 1
fi

is_installed() {
  dpkg-query -W -f='${db:Status-Status}\n' "$1" 2> /dev/null | grep -qx installed
}

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo"
fi
may_install() { # what
  if [ -n "$as_root" ] && ! command -v sudo > /dev/null; then
    echo "setup: packages are missing. Please run as root: apt-get install $1" >&2
    exit 1
  fi
}

if [ "${1:-}" = "--fuzz" ]; then
  clang=""
  for version in 19 18 17 16; do
    if is_installed "clang-$version"; then
      clang=${clang:-$version}
    fi
  done
  if [ -z "$clang" ]; then
    may_install "a clang of version 16 or newer"
    $as_root apt-get update -q
    for version in 16 17 18 19; do
      if apt-cache show "clang-$version" > /dev/null 2>&1; then
        clang=$version
      fi
    done
  fi
  packages="$packages clang-$clang libclang-rt-$clang-dev libomp-$clang-dev"
fi

missing=""
for package in $packages; do
  if ! is_installed "$package"; then
    missing="$missing $package"
  fi
done
if [ -z "$missing" ]; then
  exit 0
fi

may_install "$missing"
echo "setup: installing$missing"
$as_root apt-get update -q
$as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends $missing
