#!/usr/bin/env bash
# How much of the portal the tests go through, by line and by branch. `make coverage` calls it.
#
#   tests/coverage.sh            all of them on SQLite, and on PostgreSQL those that only it can show
#   tests/coverage.sh tests/api  only what these show
#
# PostgreSQL: the server that COVERAGE_DATABASE_URL names, else the local one on its socket, else none.
# What only a browser goes through counts as not shown: this finds what nobody looked at, and is no aim.
set -uo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
least=${LEAST:-95}
database=${COVERAGE_DATABASE_URL:-postgres:///countersign?host=/var/run/postgresql}
unset DATABASE_URL REDIS_URL EMAIL_URL
PORTAL_VAR=$(mktemp -d)
trap 'rm -rf "$PORTAL_VAR"' EXIT
export PORTAL_DEBUG=1 PORTAL_VAR COVERAGE_FILE=$PORTAL_VAR/coverage

shown() { "$python" -m pytest --cov --cov-append --cov-report= "$@"; }

status=0
shown -n "${WORKERS:-2}" --dist worksteal -m "not browser and not story and not postgresql" "$@" || status=$?
# With a test that fails there is something to say; with a run that broke off, nothing that is true.
((status <= 1)) || exit "$status"

if "$python" -c 'import psycopg, sys; psycopg.connect(sys.argv[1], dbname="postgres", connect_timeout=5)' "$database" 2>/dev/null; then
    DATABASE_URL=$database shown -m "postgresql" "$@"
    (($? == 0 || $? == 5)) || status=1
else
    printf '\n== PostgreSQL: skipped, there is no server to use\n'
fi

"$python" -m coverage combine --quiet --keep --append 2>/dev/null
report=$("$python" -m coverage report --sort=cover) || { printf '%s\n' "$report"; exit 1; }
printf '\n== Below %s %%, by lines and branches\n' "$least"
awk -v least="$least" 'NR == 1 || ($6 ~ /%$/ && $1 != "TOTAL" && $6 + 0 < least)' <<<"$report"
printf '\n== Everything\n'
grep '^TOTAL' <<<"$report"
exit "$status"
