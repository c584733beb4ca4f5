#!/bin/sh
case $1 in
    *-broken)
        echo "$1: version $2 does not start" >&2
        exit 1
        ;;
esac
printf '{"host": "%s", "version": "%s"}\n' "$1" "$2"
