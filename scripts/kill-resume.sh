#!/usr/bin/env bash
# Shows that a run which is killed again and again ends like one that nobody disturbed.
#
#   scripts/kill-resume.sh [--input DIR] [--kills N] [--seed N] [--binary FILE] [--keep]
#
# Home A is one undisturbed run. Home B1 is started, killed with SIGKILL and started again, N times (20), after
# delays drawn from the seed (1) such that the kills are spread over all stages; then it runs to its end. If B1 ends
# before all kills are spent, it is compared and the rest of the kills go to a fresh home B2, and so on.
# Compared are every file of the published version byte for byte, and the JSON documents but for time and place;
# nothing may be left in the staging area or half-written in the object store.
#
# Input: ../shared/data/raccoon/images where it exists, else the demo's pictures. --binary takes a built `imageml`
# instead of building one, as the variable IMAGEML does. --keep leaves the homes behind. Exit status 1 on any difference.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
input='' kills=20 seed=1 binary='' keep=no
while [ $# -gt 0 ]; do
    case $1 in
        --input) input=$(cd "$2" && pwd); shift 2 ;;
        --kills) kills=$2; shift 2 ;;
        --seed) seed=$2; shift 2 ;;
        --binary) binary=$(realpath "$2"); shift 2 ;;
        --keep) keep=yes; shift ;;
        -h | --help) sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; exit 0 ;;
        *) echo "unknown argument: $1 (see --help)" >&2; exit 2 ;;
    esac
done

work=$(mktemp -d)
pid=''
cleanup() {
    if [ -n "$pid" ]; then kill -9 "$pid" 2>/dev/null || true; fi
    if [ "$keep" = yes ]; then echo "homes: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT

cd "$root"
source scripts/tools.sh
IMAGEML=${binary:-${IMAGEML:-}}
[ -n "$IMAGEML" ] || require build
build_imageml
# A copy: a build in the meantime must not change what is tested.
cp "$IMAGEML" "$work/imageml"
binary=$work/imageml

if [ -z "$input" ]; then
    input=$root/../shared/data/raccoon/images
    if [ ! -d "$input" ]; then
        input=$work/pictures
        "$binary" demo --output "$input" >"$work/demo.log"
    fi
fi

# Milliseconds; whole seconds where bash is older than 5.
now() { local micro=${EPOCHREALTIME:-$(date +%s).000000}; echo $((${micro/[.,]/} / 1000)); }
count() { find "$1" -type f -name "${2:-*}" 2>/dev/null | wc -l; }
# Starts a run over the home in the background, as $pid.
start() {
    "$binary" run --input "$input" --dataset killed --home "$1" --json >"$1.json" 2>"$1.log" &
    pid=$!
}
fail() { echo "FAILED: $1"; exit 1; }

# What a home has so far, and by that the stage in which it was killed.
standing() {
    local s3=$1/s3 originals renditions tars stage
    originals=$(count "$s3/imageml-bronze/killed/images")
    renditions=$(count "$s3/imageml-silver/killed/normalized")
    tars=$(count "$s3/imageml-gold/killed" '*.tar')
    if [ -f "$s3/imageml-gold/killed/v1/manifest.json" ]; then stage=published
    elif [ "$(count "$s3/imageml-plans")" -gt 0 ]; then stage=shard
    elif [ "$renditions" -gt 0 ]; then stage=normalize
    elif [ "$originals" -gt 0 ]; then stage=ingest
    else stage=start
    fi
    echo "$stage: $originals originals, $renditions renditions, $tars tars"
}

# The document without what may differ: time, and the folder of the home.
plain() { sed -e '/"elapsed_seconds"/d' -e "s#$1/#HOME/#" "$1.json"; }

compare() {
    local home=$1 left
    diff -r "$work/A/s3/imageml-gold/killed" "$home/s3/imageml-gold/killed" >"$work/differences" \
        || { cat "$work/differences"; fail "the published files differ"; }
    diff <(plain "$work/A") <(plain "$home") || fail "the documents differ"
    left=$(find "$home/nvme" -mindepth 1 ! -name .lock)
    [ -z "$left" ] || fail "left in the staging area: $left"
    # What a kill cut off, and every list of objects: no more files than the undisturbed home has.
    diff <(cd "$work/A/s3" && find . -type f | sort) <(cd "$home/s3" && find . -type f | sort) \
        || fail "the object stores hold different files"
}

mkdir "$work/A"
begun=$(now)
start "$work/A"
wait "$pid" || { cat "$work/A.log"; fail "the undisturbed run"; }
pid=''
took=$(($(now) - begun))
[ -f "$work/A/s3/imageml-gold/killed/v1/manifest.json" ] || fail "the undisturbed run published nothing"
echo "undisturbed: $took ms, $(count "$work/A/s3/imageml-gold/killed") files published"

RANDOM=$seed
rounds=0 done_kills=0 hit=()
while [ "$done_kills" -lt "$kills" ]; do
    rounds=$((rounds + 1))
    home=$work/B$rounds
    mkdir "$home"
    while [ "$done_kills" -lt "$kills" ]; do
        # On average one and a half times the even share of the undisturbed time: each start costs time too, and what
        # was in flight is done again. So all kills together reach the end, and some begin anew.
        delay=$((3 * took / kills * RANDOM / 32768 + 1))
        start "$home"
        sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
        kill -9 "$pid" 2>/dev/null || true
        status=0
        wait "$pid" 2>/dev/null || status=$?
        pid=''
        case $status in
            # Over by itself, or so nearly that its document was out.
            0) break ;;
            137) if [ -s "$home.json" ]; then break; fi ;;
            *) cat "$home.log"; fail "a run of home B$rounds after $done_kills kills (status $status)" ;;
        esac
        done_kills=$((done_kills + 1))
        stood=$(standing "$home")
        printf 'kill %2d after %5d ms, home B%d, in %s\n' "$done_kills" "$delay" "$rounds" "$stood"
        hit+=("${stood%%:*}")
    done
    start "$home"
    wait "$pid" || { cat "$home.log"; fail "the last run of home B$rounds"; }
    pid=''
    compare "$home"
    echo "home B$rounds ended like the undisturbed one, $(standing "$home")"
done
echo "kills by stage: $(printf '%s\n' "${hit[@]}" | sort | uniq -c | awk '{printf "%s%s %d", sep, $2, $1; sep = ", "}')"
echo "OK: $kills kills over $rounds homes, every version byte for byte that of the undisturbed run"
