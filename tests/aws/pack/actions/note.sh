#!/bin/sh
printf "noted %s" "$1"
