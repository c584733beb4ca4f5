#!/bin/sh
# How full a disk is depends on the host's name alone.
case $1 in
    db-1) used=93 ;;
    db-2) used=84 ;;
    ghost-*)
        echo "$1: no route to host" >&2
        exit 1
        ;;
    *) used=41 ;;
esac
printf '{"host": "%s", "used": %s}\n' "$1" "$used"
