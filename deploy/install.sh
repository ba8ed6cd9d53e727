#!/usr/bin/env bash
# Installs Countersign on a Debian machine, as root; brings an installation up to date; goes back to the release before.
# It may run again at any time: what is right stays as it is, and what somebody has changed by hand does too.
set -Eeuo pipefail
shopt -s inherit_errexit
umask 022
# Python loads nothing from the folder in which this is called: it may be one in which others can write.
export PYTHONSAFEPATH=1

usage() {
    cat <<'TEXT'
install.sh --domain NAME --mail-url URL --mail-from ADDRESS [more]     for the first time
install.sh [--wheel FILE]                                              again, or with a newer release
install.sh --release VERSION                                           back to a release that is still there

  --domain NAME          what people type: portal.example.com
  --mail-url URL         smtp+tls://user:password@mail.example.com:587
  --mail-from ADDRESS    the sender of the portal's mail
  --wheel FILE           the release; else the newest wheel that lies beside install.sh
  --wheels FOLDER        every package it needs, for a machine that reaches no package index
  --release VERSION      one of /opt/countersign/releases; migrates nothing
  --certificate FILE     of the domain, with its chain; links to it are made, so it may be renewed in its place
  --certificate-key FILE its key; without both, a certificate for a trial is made, which no browser trusts
  --database-url URL     PostgreSQL elsewhere, with the role that serves; else PostgreSQL is installed here
  --owner-url URL        the same database with the role that owns it; a node without it does not migrate
  --redis-url URL        Redis elsewhere; else Redis is installed here
  --environment FILE     the settings of another node of this installation, instead of new ones
  --trusted-proxies LIST addresses of your own proxies, where nginx is not installed here
  --without LIST         what not to install here, by comma: nginx, postgresql, redis
  --dry-run              say what would be done, and change nothing

A URL may be given as @FILE, which holds it: what is typed here can be seen by others on this machine.
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in saying machine release settings database proxy units; do
    # shellcheck source=/dev/null
    source "$here/install/$part.sh"
done

dry_run="" domain="" mail_url="" mail_from="" wheel="" wheels="" back_to="" certificate="" certificate_key=""
database_url="" owner_url="" redis_url="" environment="" trusted_proxies="" without=""

read_if_file() { # name of a variable: @FILE in it gives way to what the file holds
    local -n text=$1
    if [[ $text != @* ]]; then return; fi
    [[ -r ${text#@} ]] || die "${text#@} cannot be read"
    text=$(grep -v '^#' "${text#@}" | grep -m1 . || true)
    text=${text#DATABASE_URL=}
}

while (($#)); do
    case $1 in
        --help | -h) usage && exit ;;
        --dry-run) dry_run=yes && shift && continue ;;
        --*) (($# > 1)) || die "$1: a value is missing (--help says which)" ;;
        *) die "$1: what is that? --help says what there is" ;;
    esac
    case $1 in
        --domain) domain=$2 ;;
        --mail-url) mail_url=$2 ;;
        --mail-from) mail_from=$2 ;;
        --wheel) wheel=$2 ;;
        --wheels) wheels=$2 ;;
        --release) back_to=$2 ;;
        --certificate) certificate=$2 ;;
        --certificate-key) certificate_key=$2 ;;
        --database-url) database_url=$2 ;;
        --owner-url) owner_url=$2 ;;
        --redis-url) redis_url=$2 ;;
        --environment) environment=$2 ;;
        --trusted-proxies) trusted_proxies=$2 ;;
        --without) without=",$2," ;;
        *) die "$1: what is that? --help says what there is" ;;
    esac
    shift 2
done
for name in mail_url database_url owner_url redis_url; do read_if_file "$name"; done

trap 'status=$?; ((BASH_SUBSHELL)) || die "it stopped at line $LINENO of ${BASH_SOURCE[0]##*/} (exit status $status); $log has more"' ERR

begin
choose_release
choose_parts
check_settings
install_packages
make_users_and_folders
install_release
make_settings
limit_the_journal
start_redis
prepare_postgresql
migrate
collect_static_files
switch_release
install_units
restart_units
install_proxy
forget_old_releases
finish
