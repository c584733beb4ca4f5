#!/bin/sh
# What fills a directory: its size, and its largest file.
set -eu

cd "$1"
largest=$(find . -type f -exec wc -c {} \; | sort -rn | awk 'NR == 1 { sub("^\\./", "", $2); print $2 }')
total=$(find . -type f -exec cat {} + | wc -c)
printf '{"bytes": %d, "largest": "%s"}\n' "$total" "$largest"
