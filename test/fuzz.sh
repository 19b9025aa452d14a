#!/usr/bin/env bash
# Runs every fuzz test of the project for a while: test/fuzz.sh [seconds each]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u | while read -r dir; do
  for name in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -d' ' -f2 | sort -u); do
    echo "== $dir $name"
    go test -run '^$' -fuzz "^$name\$" -fuzztime "${seconds}s" "./$dir"
  done
done
