#!/usr/bin/env bash
# Runs what proves the portal, then says what ran and what did not. `make test` calls it.
#
#   tests/everything.sh            SQLite, PostgreSQL, browser and stories: each test, in under ten minutes on two cores
#   tests/everything.sh --whole    the same with what is long, whole machines, and on both databases what they pass alike;
#                                  CI=true or NOTHING_SKIPPED=1 means it, and turns anything skipped into a failure
#   tests/everything.sh --quick    SQLite only, nothing slow, no client libraries; of each file that needs the database,
#                                  one test
#
# PostgreSQL: the server DATABASE_URL names, else a local one on its socket. Every run makes its own test databases.
# What touches no database runs once, with SQLite. Without --whole, so does what every database passes alike
# (tests/collecting/which_database.py). What waits much runs beside something else, and what that said is shown after it.
set -uo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
workers=${WORKERS:-2}
given_database=${DATABASE_URL:-}
unset DATABASE_URL REDIS_URL EMAIL_URL
unset PYTHONDONTWRITEBYTECODE # or every worker, server and shell compiles all that it imports
PORTAL_VAR=$(mktemp -d)
export PORTAL_DEBUG=1 PORTAL_VAR

whole=""
if [[ ${1:-} == --whole || ${CI:-} == true || ${NOTHING_SKIPPED:-} == 1 ]]; then whole=yes; fi
passed=() skipped=() failed=() unsteady=() left=()
beside="" # the process group of what runs beside

leave() { # whatever still runs beside ends as Ctrl-C ends it: with its servers
    if [[ $beside ]]; then kill -INT -- "-$beside" 2>/dev/null && wait "$beside"; fi
    rm -rf "$PORTAL_VAR"
}
trap leave EXIT
trap "exit 130" INT TERM

run() { # name, then the command that proves it
    local name=$1 status=0
    shift
    printf '\n== %s\n' "$name"
    "$@" || status=$?
    ended "$name" "$status"
}

ended() { # name, exit status
    local name=$1 status=$2
    case $status in
        0) passed+=("$name") ;;
        5) failed+=("$name: no test was found") ;;
        *) failed+=("$name: exit status $status") ;;
    esac
}

begin_beside() { # the command; a group of its own, for what runs in the background of a script hears no Ctrl-C
    set -m
    ("$@") >"$PORTAL_VAR/beside.log" 2>&1 </dev/null &
    beside=$!
    set +m
}

end_beside() { # name of what was begun
    local status=0
    wait "$beside" || status=$?
    beside=""
    printf '\n== %s\n' "$1"
    cat "$PORTAL_VAR/beside.log"
    ended "$1" "$status"
}

skip() { # name, reason
    printf '\n== %s: skipped, %s\n' "$1" "$2"
    skipped+=("$1: $2")
}

pytest() { "$python" -m pytest "$@"; }

# A busy machine can be late once: up to three tests that fail are run again, alone. One that passes then is named in
# the result, for it is a fault of the test; one that fails again, and any number beyond, is a failure.
steady() { # what pytest is given
    local kept status=0 name names=()
    kept=$(mktemp -d -p "$PORTAL_VAR")
    pytest -o cache_dir="$kept" "$@" || status=$?
    ((status == 1)) || return "$status"
    mapfile -t names < <("$python" -c 'import json, sys; print("\n".join(json.load(open(sys.argv[1]))))' \
        "$kept/v/cache/lastfailed")
    ((${#names[@]} >= 1 && ${#names[@]} <= 3)) || return 1
    printf '\n-- once more, alone\n'
    pytest -p no:cacheprovider "${names[@]}" || return 1
    printf '%s\n' "${names[@]}" >>"$PORTAL_VAR/unsteady"
}

# A worker that has nothing left takes over from the others: how long a test takes is known to nobody beforehand.
shared() { steady -n "$workers" --dist worksteal --dealt "$@"; }

# More workers than there are cores: whoever waits for a server, a deadline or a lock leaves its core to another.
waiting() { # how many more, then what pytest is given
    local more=$1
    shift
    workers=$((workers + more)) shared "$@"
}

may_create_databases() { # URL; only the server matters, the test database is made on it
    "$python" - "$1" <<'PYTHON'
import sys

import psycopg

try:
    with psycopg.connect(sys.argv[1], dbname="postgres", connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
except psycopg.Error as error:
    sys.exit(str(error).strip().splitlines()[0])
sys.exit(None if row and row[0] else "its role may not create databases")
PYTHON
}

may_create_roles() { # URL
    "$python" - "$1" <<'PYTHON'
import sys

import psycopg

try:
    with psycopg.connect(sys.argv[1], dbname="postgres", connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
except psycopg.Error as error:
    sys.exit(str(error).strip().splitlines()[0])
sys.exit(None if row and row[0] else "the role of DATABASE_URL may not create roles")
PYTHON
}

on_databases() {
    local url=$given_database reason there="" marks="not browser and not story and not machines"
    case $url in
        postgres://* | postgresql://*) ;;
        *) url="postgres:///countersign?host=/var/run/postgresql" ;;
    esac
    reason=$(may_create_databases "$url" 2>&1) && there=yes
    if [[ ! $whole ]]; then
        marks+=" and not long"
        left+=("what takes long")
    fi
    if [[ $there && ! $whole ]]; then
        left+=("on PostgreSQL, what every database passes alike")
        # Half of the work is SQLite's: the other half goes on beside it, for all of it waits now and then.
        begin_beside waiting 2 -m "$marks and not postgresql"
        if [[ $chromium ]]; then run "browser and stories" browser "$workers"; fi
        DATABASE_URL=$url run "PostgreSQL" shared --database-only --apart -m "$marks"
        end_beside "SQLite"
        return
    fi
    if [[ $chromium && ! $machines ]]; then begin_beside browser "$workers"; fi
    # A fifth of the time of three was idle; with PostgreSQL, which works too, hardly any.
    run "SQLite" waiting 2 -m "$marks and not postgresql"
    if [[ $there ]]; then
        DATABASE_URL=$url run "PostgreSQL" waiting 1 --database-only -m "$marks"
    elif [[ $url == "$given_database" ]]; then
        failed+=("PostgreSQL: DATABASE_URL: $reason")
    else
        skip "PostgreSQL" "no DATABASE_URL, and no local server to use ($reason)"
    fi
    if [[ $beside ]]; then end_beside "browser and stories"; fi
}

browser() { # how many workers: each has a portal of its own, and waits for it now and then
    local marks=()
    [[ $whole ]] || marks=(-m "not long")
    make --silent .venv/.runtime && steady -n "$1" --dist loadfile --no-loadscope-reorder "${marks[@]}" tests/browser
}

# One after the other: each machine of a test may need as much as this one has.
on_machines() {
    if [[ $machines ]]; then
        if [[ $chromium ]]; then begin_beside browser "$workers"; fi
        run "whole machines" steady --durations=12 -m "not drill" tests/machines
        if [[ $chromium ]]; then end_beside "browser and stories"; fi
    elif [[ $whole ]]; then
        skip "whole machines" "$no_machines"
    else
        left+=("whole machines")
    fi
}

# Part of the run above, which skips itself: the roles of a database are made by whoever may make roles.
with_roles() {
    local url=$given_database reason
    case $url in
        postgres://* | postgresql://*) ;;
        *) return ;; # said above, if there is none; a local socket knows no passwords
    esac
    reason=$(may_create_roles "$url" 2>&1) || skip "database roles" "$reason"
}

find_chromium() {
    local name
    chromium=""
    # Without a window of its own it takes a tenth less.
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        chromium=${chromium:-$(command -v "$name" || true)}
    done
    export CHROMIUM=$chromium
}

# Part of the runs above: a client in JavaScript skips itself where it could not be installed.
with_node() {
    local name="client in JavaScript" version
    version=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || version=0
    if ((version < 20)) || ! command -v npm >/dev/null; then
        skip "$name" "node 20 and npm are not installed"
    elif ! make --silent requirements/npm/node_modules/.clients; then
        failed+=("$name: it could not be installed")
    fi
}

# Part of the runs above: what needs a Redis starts its own, and skips itself where there is none.
with_redis() {
    command -v redis-server >/dev/null || skip "counters in Redis" "redis-server is not installed"
}

# The same for the release before this one, which is taken out of the history of the repository.
with_history() {
    local reason
    reason=$("$python" -c 'from tests.upgrades import previous; print(previous.why_none())')
    [[ -z $reason ]] || skip "the release before" "$reason"
}

# The same for what starts a PostgreSQL of its own, to restart it.
with_own_postgresql() {
    local reason
    reason=$("$python" -c 'from tests import postgresql_server; print(postgresql_server.why_none())')
    [[ -z $reason ]] || skip "sockets under load" "$reason"
}

if [[ ${1:-} == --quick ]]; then
    run "SQLite, quick" shared --quick --ignore=tests/browser --ignore=tests/clients --ignore=tests/machines \
        -m "not browser and not story and not postgresql and not slow"
else
    with_node
    find_chromium
    machines="" no_machines=""
    if [[ $whole ]]; then
        no_machines=$("$python" -c 'from tests.machines import images; print(images.why_none())')
        [[ $no_machines ]] || machines=yes
    fi
    on_databases
    on_machines
    if [[ ! $chromium ]]; then skip "browser and stories" "Chromium is not installed"; fi
    with_redis
    with_roles
    if [[ $whole ]]; then
        with_own_postgresql
        with_history
    fi
fi

if [[ -f $PORTAL_VAR/unsteady ]]; then mapfile -t unsteady <"$PORTAL_VAR/unsteady"; fi
printf '\n== Result\n'
((${#passed[@]})) && printf 'passed   %s\n' "${passed[@]}"
((${#skipped[@]})) && printf 'skipped  %s\n' "${skipped[@]}"
((${#left[@]})) && printf 'left out %s: make test-whole runs it, and CI\n' "${left[@]}"
((${#unsteady[@]})) && printf 'UNSTEADY passed only when run again, alone: %s\n' "${unsteady[@]}"
((${#failed[@]})) && printf 'FAILED   %s\n' "${failed[@]}"
if ((${#skipped[@]})) && [[ ${CI:-} == true || ${NOTHING_SKIPPED:-} == 1 ]]; then
    echo "FAILED   nothing may be skipped here"
    exit 1
fi
((${#failed[@]} == 0))
