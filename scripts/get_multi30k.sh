#!/bin/sh
# Fills data/multi30k with the Multi30k corpus (task 1): {train,val,test_2016_flickr}.{en,de,fr}, and
# tok/*.lc.norm.tok.{en,de}, the same in lower case and tokenised, on which results are published.
#   scripts/get_multi30k.sh        downloads it from the dataset's public repository
#   scripts/get_multi30k.sh DIR    takes it from a local folder, plain or gzip; tokenised files,
#                                  plain, from DIR/tok or DIR/../tok, those that are there
# Files that are there already, with the right number of lines, are kept.
set -eu
url=https://raw.githubusercontent.com/multi30k/dataset/master/data/task1

fail() {
  echo "get_multi30k: $*" >&2
  exit 1
}

lines_of() {
  case $1 in
    train) echo 29000 ;;
    val) echo 1014 ;;
    test_2016_flickr) echo 1000 ;;
  esac
}

has_lines() { [ -f "$1" ] && [ "$(wc -l < "$1")" -eq "$2" ]; }

# download URL: the file goes to standard output.
download() {
  if command -v curl > /dev/null; then
    curl --fail --silent --show-error --location --retry 3 "$1"
  elif command -v wget > /dev/null; then
    wget --quiet --output-document=- "$1"
  else
    fail "neither curl nor wget is here. Install one: apt-get install curl"
  fi
}

# fetch NAME: the compressed or plain file goes to $part, plain.
fetch() {
  if [ -z "$from" ]; then
    download "$url/raw/$1.gz" > "$part.gz" || fail "cannot download $url/raw/$1.gz"
    gzip -dc "$part.gz" > "$part" || fail "$url/raw/$1.gz is not a whole gzip file"
  elif [ -f "$from/$1" ]; then
    cat "$from/$1" > "$part" || fail "cannot copy $from/$1"
  elif [ -f "$from/$1.gz" ]; then
    gzip -dc "$from/$1.gz" > "$part" || fail "$from/$1.gz is not a whole gzip file"
  else
    fail "neither $1 nor $1.gz is in $from"
  fi
}

# fetch_tokenised NAME: the same of a tokenised file; false when the local folder has none.
fetch_tokenised() {
  if [ -z "$from" ]; then
    download "$url/tok/$1" > "$part" || fail "cannot download $url/tok/$1"
  elif [ -f "$from/tok/$1" ]; then
    cat "$from/tok/$1" > "$part" || fail "cannot copy $from/tok/$1"
  elif [ -f "$from/../tok/$1" ]; then
    cat "$from/../tok/$1" > "$part" || fail "cannot copy $from/../tok/$1"
  else
    return 1
  fi
}

# keep FILE LINES: $part becomes a file of the corpus.
keep() {
  has_lines "$part" "$2" ||
    fail "$1 should have $2 lines, but has $(wc -l < "$part"); nothing was kept of it"
  mv "$part" "$to/$1"
  echo "get_multi30k: $to/$1"
}

[ $# -le 1 ] || fail "usage: scripts/get_multi30k.sh [DIR]"
from=""
if [ $# -eq 1 ]; then
  [ -d "$1" ] || fail "$1 is not a folder"
  from=$(cd "$1" && pwd)
fi
cd "$(dirname "$0")/.."
to=data/multi30k
mkdir -p $to/tok
part=$to/.part.$$
trap 'rm -f "$part" "$part.gz"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for split in train val test_2016_flickr; do
  lines=$(lines_of $split)
  for language in en de fr; do
    file=$split.$language
    if ! has_lines "$to/$file" "$lines"; then
      fetch "$file"
      keep "$file" "$lines"
    fi
    [ $language = fr ] && continue
    file=$split.lc.norm.tok.$language
    if ! has_lines "$to/tok/$file" "$lines"; then
      if fetch_tokenised "$file"; then
        keep "tok/$file" "$lines"
      else
        echo "get_multi30k: $from has no tokenised $file, which only some recipes need"
      fi
    fi
  done
done
echo "get_multi30k: $to is complete"
