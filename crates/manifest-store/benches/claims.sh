#!/bin/sh
# Runs the benchmark `claims` on a throwaway Postgres that syncs every commit to disk, with the defaults of Postgres
# otherwise. Arguments are the benchmark's: objects=N, without-output-indexes.
set -eu
binaries=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
command -v initdb >/dev/null && binaries=$(dirname "$(command -v initdb)")
folder=$(mktemp -d)
as=""
if [ "$(id -u)" = 0 ]; then
    # Postgres refuses to run as root.
    as="runuser -u postgres --"
    chown postgres "$folder"
fi
finish() {
    (cd / && $as "$binaries/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null) || true
    rm -rf "$folder"
}
trap finish EXIT
(
    cd /
    $as "$binaries/initdb" --username=postgres --auth=trust --encoding=UTF8 --locale=C -D "$folder/data" >/dev/null
    $as "$binaries/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o "-k $folder -c listen_addresses=" start >/dev/null
)
cd "$(dirname "$0")/.."
TEST_DATABASE_URL="postgres://postgres@localhost/postgres?host=$folder" \
    cargo bench -p manifest-store --bench claims -- "$@"
