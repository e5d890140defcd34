# Sourced by the scripts that set something up, so that each does its work once.
# shellcheck shell=bash

up_to_date() { [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; }

# unless_made STAMP SCRIPT FILE …: ends the script when STAMP says that its work was done with these files, itself among
# them; else waits for its turn, since two test runs may start together. At its end it says `made`.
unless_made() {
    stamp=$1
    shift
    wanted=$(cat "$@" | sha256sum | cut -d' ' -f1)
    if up_to_date; then
        exit 0
    fi
    exec 9<"$1"
    flock 9
    if up_to_date; then
        exit 0
    fi
}

made() { echo "$wanted" >"$stamp"; }
