# shellcheck shell=bash
# PostgreSQL on this machine, where it is here, and the schema, where this machine knows the owner of the database.

cluster() { # a column of the newest cluster: version, name or port
    local line
    line=$(pg_lsclusters --no-header 2>/dev/null | sort --version-sort | tail -n 1 || true)
    case $1 in
        version) awk '{ print $1 }' <<<"$line" ;;
        name) awk '{ print $2 }' <<<"$line" ;;
        port) awk '{ print $3 }' <<<"${line:-_ _ 5432}" ;;
    esac
}

prepare_postgresql() {
    if [[ ! $postgresql_here ]]; then return; fi
    local number name
    number=$(cluster version)
    name=$(cluster name)
    if [[ ! $number && $dry_run ]]; then
        say "set up PostgreSQL, its roles and a database countersign"
        return
    fi
    [[ $number ]] || die "PostgreSQL is installed and has no cluster: pg_createcluster makes one"
    calls_for=postgresql put "/etc/postgresql/$number/$name/conf.d/countersign.conf" 0644 root:root \
        <"$files/postgresql/countersign.conf"
    if is_owed postgresql && [[ ! $dry_run ]]; then
        quietly systemctl restart "postgresql@$number-$name"
        settle postgresql
    elif ! systemctl is-active --quiet "postgresql@$number-$name"; then
        act "start PostgreSQL" systemctl start "postgresql@$number-$name"
    fi
    if [[ ! -f $owner ]] || { _connects "$owner" && _connects "$settings"; }; then return; fi
    say "make the roles and the database countersign"
    if [[ $dry_run ]]; then return; fi
    quietly _as_superuser --file - <"$files/postgresql/roles.sql"
    quietly _give_password "$owner"
    quietly _give_password "$settings"
}

_as_superuser() { (cd / && runuser -u postgres -- psql -qX --set ON_ERROR_STOP=1 --set VERBOSITY=terse --port "$(cluster port)" "$@"); }

_give_password() { # file with a DATABASE_URL; neither the log of PostgreSQL nor a list of processes sees it
    local role password
    role=$(_part "$1" username)
    password=$(_part "$1" password)
    _as_superuser --file - <<<"ALTER ROLE \"$role\" PASSWORD '${password//\'/\'\'}';"
}

_part() { # file, part of its DATABASE_URL
    URL=$(value_in "$1" DATABASE_URL) python3 -c '
import os, sys
from urllib.parse import unquote, urlsplit
print(unquote(getattr(urlsplit(os.environ["URL"]), sys.argv[1]) or ""))' "$2"
}

_connects() { # file with a DATABASE_URL
    if [[ ! -x $release/bin/python ]]; then return 1; fi
    # Django's own names may stand behind the ?, which libpq does not know.
    URL=$(value_in "$1" DATABASE_URL) "$release/bin/python" -c '
import os, psycopg
psycopg.connect(os.environ["URL"].partition("?")[0], connect_timeout=5).close()' >>"$log" 2>&1
}

migrate() {
    if [[ $back_to ]]; then return; fi
    if [[ ! -f $owner ]]; then
        if [[ $dry_run && ! $is_again && ($owner_url || $postgresql_here) ]]; then
            say "migrate the database"
        else
            note "This machine does not know the owner of the database: migrations are run where it is known."
        fi
        return
    fi
    if is_switched && countersign migrate --check >/dev/null 2>&1; then return; fi
    if [[ $dry_run ]]; then
        say "migrate the database to what $version needs"
        return
    fi
    _connects "$owner" || die "the database of $owner does not answer, or refuses its role ($log has more)"
    act "migrate the database" countersign migrate --no-input
    local role
    role=$(_part "$settings" username)
    if [[ $role == "$(_part "$owner" username)" ]]; then
        note "The role $role serves and owns the tables: whoever gets hold of a node can rewrite the history. Serve with another."
        return
    fi
    act "let $role do what serving needs" countersign databaseroles --web "$role"
}
