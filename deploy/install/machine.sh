# shellcheck shell=bash
# What the machine brings: packages of Debian, users, folders, and room in the journal.

# The first installation as it was begun, until it came to its end: one that is run again goes on with it.
begun=/etc/countersign/begun

choose_parts() { # which of the three servers are looked after here
    is_again="" nginx_is_new=""
    nginx_here=yes postgresql_here=yes redis_here=yes
    if [[ -f $begun ]]; then
        nginx_is_new=$(value_in "$begun" nginx_is_new)
        if [[ -f $settings ]]; then
            _go_on
            return
        fi
    elif [[ -L /opt/countersign/current ]]; then
        is_again=yes
        [[ -f /etc/nginx/sites-available/countersign.conf ]] || nginx_here=""
        compgen -G '/etc/postgresql/*/main/conf.d/countersign.conf' >/dev/null || postgresql_here=""
        redis_here="" # it has nothing of ours
        return
    fi
    local given_database=$database_url given_redis=$redis_url
    if [[ $environment ]]; then
        given_database=$(value_in "$environment" DATABASE_URL)
        given_redis=$(value_in "$environment" REDIS_URL)
        [[ $given_redis ]] || redis_here=""
    elif [[ -f $settings ]]; then
        given_database=$(setting DATABASE_URL)
        given_redis=$(setting REDIS_URL)
        [[ $given_redis ]] || redis_here=""
    fi
    _is_here "$given_database" || postgresql_here=""
    _is_here "$given_redis" || redis_here=""
    case $without in *,nginx,*) nginx_here="" ;; esac
    case $without in *,postgresql,*) postgresql_here="" ;; esac
    case $without in *,redis,*) redis_here="" ;; esac
}

_go_on() { # with what was chosen when it was begun
    nginx_here=$(value_in "$begun" nginx_here)
    postgresql_here=$(value_in "$begun" postgresql_here)
    redis_here=$(value_in "$begun" redis_here)
    case $without in *,nginx,*) nginx_here="" ;; esac
    if [[ ! $certificate ]]; then
        certificate=$(value_in "$begun" certificate)
        certificate_key=$(value_in "$begun" certificate_key)
    fi
}

_note_begun() {
    local name
    if [[ $is_again ]]; then return; fi
    install -d -m 0750 "${begun%/*}"
    for name in nginx_here nginx_is_new postgresql_here redis_here certificate certificate_key; do
        echo "$name=${!name}"
    done >"$begun.unfinished"
    mv "$begun.unfinished" "$begun"
}

_is_here() { [[ ! $1 || $1 =~ [@/]127\.0\.0\.1[:/] ]]; }

install_packages() {
    local wanted=(python3-venv postgresql-client openssl) missing=() name
    if [[ $nginx_here ]]; then wanted+=(nginx); fi
    if [[ $postgresql_here ]]; then wanted+=(postgresql); fi
    if [[ $redis_here ]]; then wanted+=(redis-server); fi
    if ! _keeps_time; then wanted+=(systemd-timesyncd); fi
    for name in "${wanted[@]}"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true) == installed ]] || missing+=("$name")
    done
    case " ${missing[*]} " in *" nginx "*) nginx_is_new=yes ;; esac
    if [[ ! $dry_run ]]; then _note_begun; fi
    if ((!${#missing[@]})); then return; fi
    say "install ${missing[*]}"
    if [[ $dry_run ]]; then return; fi
    export DEBIAN_FRONTEND=noninteractive
    # What was ended while it installed packages.
    quietly dpkg --configure -a
    quietly apt-get update
    quietly apt-get install --yes --no-install-recommends "${missing[@]}"
}

_keeps_time() { # codes and limits go by the clock; that of a container is the one of its host
    if systemd-detect-virt --quiet --container; then return; fi
    grep -qx installed < <(dpkg-query -W -f '${db:Status-Status}\n' chrony ntpsec openntpd systemd-timesyncd 2>/dev/null)
}

make_users_and_folders() {
    _user countersign
    _group_member countersign-owner # whoever migrates: the owner's address is in no process of the one who serves
    _folder /etc/countersign 0750 root:countersign
    _folder /opt/countersign/releases 0755 root:root
    _folder /var/lib/countersign 0750 countersign:countersign
    _folder /var/backups/countersign 0750 countersign:countersign
}

_user() {
    if getent passwd "$1" >/dev/null; then return; fi
    act "make the user $1" useradd --system --user-group --home-dir /var/lib/countersign --no-create-home \
        --shell /usr/sbin/nologin "$1"
}

_group_member() {
    if getent passwd "$1" >/dev/null; then return; fi
    act "make the user $1" useradd --system --gid countersign --home-dir /nonexistent --no-create-home \
        --shell /usr/sbin/nologin "$1"
}

_folder() { # path, mode, owner:group
    if [[ -d $1 && $(stat -c '0%a %U:%G' "$1") == "$2 $3" ]]; then return; fi
    act "make $1" install -d -m "$2" -o "${3%:*}" -g "${3#*:}" "$1"
}

start_redis() {
    if [[ ! $redis_here ]] || systemctl is-active --quiet redis-server; then return; fi
    act "start Redis" systemctl enable --now redis-server
}

limit_the_journal() {
    local calls_for=journald
    put /etc/systemd/journald.conf.d/countersign.conf 0644 root:root <"$files/journald/countersign.conf"
    if is_owed journald && [[ ! $dry_run ]]; then
        quietly systemctl restart systemd-journald
        settle journald
    fi
}
