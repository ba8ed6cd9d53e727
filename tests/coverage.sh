#!/usr/bin/env bash
# How much of the portal the tests on SQLite go through, by line and by branch. `make coverage` calls it.
#
#   tests/coverage.sh            all of them
#   tests/coverage.sh tests/api  only what these show
#
# What only PostgreSQL or a browser goes through counts as not shown: this finds what nobody looked at, and is no aim.
set -uo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
least=${LEAST:-95}
unset DATABASE_URL REDIS_URL EMAIL_URL
PORTAL_VAR=$(mktemp -d)
trap 'rm -rf "$PORTAL_VAR"' EXIT
export PORTAL_DEBUG=1 PORTAL_VAR COVERAGE_FILE=$PORTAL_VAR/coverage

status=0
"$python" -m pytest -n "${WORKERS:-2}" -m "not browser and not story and not postgresql" --cov --cov-report= "$@" || status=$?
# With a test that fails there is something to say; with a run that broke off, nothing that is true.
((status <= 1)) || exit "$status"

report=$("$python" -m coverage report --sort=cover) || { printf '%s\n' "$report"; exit 1; }
printf '\n== Below %s %%, by lines and branches\n' "$least"
awk -v least="$least" 'NR == 1 || ($NF ~ /%$/ && $1 != "TOTAL" && $NF + 0 < least)' <<<"$report"
printf '\n== Everything\n'
grep '^TOTAL' <<<"$report"
exit "$status"
