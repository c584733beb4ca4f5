#!/bin/sh
# Says on stderr what it does while it does it, and prints what it found as one JSON object.
set -eu

host=$1
alert=$2
summary=${3:-}

quoted() {
    printf '"%s"' "$(printf '%s' "$1" | tr '\n\t\r' '   ' | sed 's/\\/\\\\/g; s/"/\\"/g')"
}

echo "checking $host because of $alert" >&2

load=unknown
if [ -r /proc/loadavg ]; then
    read -r load rest </proc/loadavg
fi
disk=$(df -P / | awk 'NR == 2 { print $5 }')

echo "load $load, root file system $disk full" >&2

printf '{"host": %s, "alert": %s, "summary": %s, "findings": {"load_1m": %s, "root_used": %s}, "verdict": %s}\n' \
    "$(quoted "$host")" "$(quoted "$alert")" "$(quoted "$summary")" \
    "$(quoted "$load")" "$(quoted "$disk")" "$(quoted "nothing to mend: this is a demo")"
