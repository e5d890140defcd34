#!/usr/bin/env bash
# Makes <root>/.elasticmq with the jars of the queue server that tests use. Does nothing when it is up to date.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
jars="$root/.elasticmq"
stamp="$jars/.pom.sha256"

wanted=$(cat "$here/pom.xml" "$here/setup.sh" | sha256sum | cut -d' ' -f1)
up_to_date() { [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; }

if up_to_date; then
    exit 0
fi

# One at a time: two test runs may start together.
exec 9<"$here/setup.sh"
flock 9
if up_to_date; then
    exit 0
fi

# Afresh: the class path is every jar in the folder, so those of another release must not stay.
rm -rf "$jars"
# --strict-checksums: a download that differs from its checksum is an error, not a warning.
mvn --quiet --batch-mode --strict-checksums --file "$here/pom.xml" \
    dependency:copy-dependencies -DoutputDirectory="$jars" -DincludeScope=runtime
echo "$wanted" >"$stamp"
echo "the queue server for tests is in $jars"
