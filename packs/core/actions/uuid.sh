#!/usr/bin/env bash
# Prints a UUID: by random, or by the time and a random node.
set -eu

random_hex() {
    od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'
}

by_random() {
    local hex
    hex=$(random_hex 16)
    printf '%s-%s-4%s-%x%s-%s\n' "${hex:0:8}" "${hex:8:4}" "${hex:13:3}" \
        $((0x${hex:16:1} & 3 | 8)) "${hex:17:3}" "${hex:20:12}"
}

# 100-nanosecond steps since 1582-10-15; the node's multicast bit says that it is no network card.
by_time() {
    local nanoseconds ticks sequence node
    nanoseconds=$(date +%s%N)
    case "$nanoseconds" in
        *[!0-9]*) nanoseconds="$(date +%s)000000000" ;;
    esac
    ticks=$((nanoseconds / 100 + 0x01B21DD213814000))
    sequence=$((0x$(random_hex 2) & 0x3fff | 0x8000))
    node=$((0x$(random_hex 6) | 0x010000000000))
    printf '%08x-%04x-%04x-%04x-%012x\n' $((ticks & 0xffffffff)) $((ticks >> 32 & 0xffff)) \
        $((ticks >> 48 & 0x0fff | 0x1000)) "$sequence" "$node"
}

case "${1:-uuid4}" in
    uuid1) by_time ;;
    uuid4) by_random ;;
    *)
        echo "there is no UUID type \"$1\": uuid1 and uuid4 are known" >&2
        exit 1
        ;;
esac
