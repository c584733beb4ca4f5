#!/bin/sh
# The fleet is made up: each role has the hosts that are listed here.
case $1 in
    web) echo '["web-1", "web-2", "web-3"]' ;;
    db) echo '["db-1", "db-2"]' ;;
    *) echo '[]' ;;
esac
