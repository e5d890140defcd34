#!/usr/bin/env bash
# Makes <root>/.elasticmq with the jars of the queue server that tests use. Does nothing when it is up to date.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
jars="$root/.elasticmq"

source "$root/scripts/once.sh"
unless_made "$jars/.pom.sha256" "$here/setup.sh" "$here/pom.xml"

# Afresh: the class path is every jar in the folder, so those of another release must not stay.
rm -rf "$jars"
# --strict-checksums: a download that differs from its checksum is an error, not a warning.
mvn --quiet --batch-mode --strict-checksums --file "$here/pom.xml" \
    dependency:copy-dependencies -DoutputDirectory="$jars" -DincludeScope=runtime
made
echo "the queue server for tests is in $jars"
