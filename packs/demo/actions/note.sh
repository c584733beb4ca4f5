#!/bin/sh
# The text comes as an argument, never as a part of a command, so it may hold anything.
printf 'noted: %s\n' "$1"
