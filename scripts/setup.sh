#!/bin/sh
# Installs everything that Calque is built from, on Debian 12, Debian 13 and Ubuntu 24.04. Run as
# root, or as a user who may use sudo. When everything is there already it does nothing.
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

missing=""
for package in $packages; do
  if ! dpkg-query -W -f='${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed; then
    missing="$missing $package"
  fi
done
if [ -z "$missing" ]; then
  exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo > /dev/null; then
    echo "setup: packages are missing. Please run as root: apt-get install$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi

echo "setup: installing$missing"
$as_root apt-get update -q
$as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends $missing
