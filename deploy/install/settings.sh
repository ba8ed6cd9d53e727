# shellcheck shell=bash
# The settings of the node, made once and never written over. No value of a secret is ever shown.

settings=/etc/countersign/environment
owner=/etc/countersign/owner

value_in() { # file, name
    sed -n "s/^$2=//p" "$1" | tail -n 1
}

setting() { if [[ -f $settings ]]; then value_in "$settings" "$1"; fi; }

check_settings() { # before anything is done
    if [[ $environment ]]; then
        [[ -r $environment ]] || die "$environment cannot be read"
        if [[ -f $settings ]] && ! cmp --silent "$environment" "$settings"; then
            die "$settings is there already and differs from $environment: look at both, and remove one"
        fi
    fi
    if [[ -f $settings ]]; then
        _agrees --domain "$domain" "$(_host "$(setting PORTAL_BASE_URL)")"
        _agrees --mail-url "$mail_url" "$(setting EMAIL_URL)"
        _agrees --mail-from "$mail_from" "$(setting PORTAL_MAIL_FROM)"
        _agrees --database-url "$database_url" "$(setting DATABASE_URL)"
        _agrees --redis-url "$redis_url" "$(setting REDIS_URL)"
    elif [[ ! $environment ]]; then
        [[ $domain && $mail_url && $mail_from ]] || die "--domain, --mail-url and --mail-from are needed (--help)"
        [[ $domain =~ ^[a-z0-9.-]+$ ]] || die "--domain $domain is no host name"
        [[ $postgresql_here || $database_url ]] || die "--database-url is needed where PostgreSQL is not installed"
        [[ $nginx_here || $trusted_proxies ]] || die "--trusted-proxies is needed where nginx is not installed"
    fi
    if [[ $certificate || $certificate_key ]]; then
        [[ -f $certificate && -f $certificate_key ]] || die "--certificate and --certificate-key name two files"
        certificate=$(realpath "$certificate")
        certificate_key=$(realpath "$certificate_key")
    fi
}

_agrees() { # option, what it was given, what is set
    [[ ! $2 || $2 == "$3" ]] || die "$1: $settings says something else; change it there, and run install.sh again"
}

_host() { local url=${1#*://}; printf %s "${url%%/*}"; }

make_settings() {
    if [[ ! -f $owner ]]; then
        if [[ ! $owner_url && $postgresql_here && ! -f $settings && ! $environment ]]; then
            owner_url=postgres://countersign_owner:$(_drawn)@127.0.0.1:$(cluster port)/countersign
        fi
        if [[ $owner_url ]]; then _make "$owner" 0600 root:root "DATABASE_URL=$owner_url"; fi
    fi
    if [[ -f $settings ]]; then return; fi
    if [[ $environment ]]; then
        _make "$settings" 0640 root:countersign "$(<"$environment")"
        return
    fi
    [[ $database_url ]] || database_url=postgres://countersign_web:$(_drawn)@127.0.0.1:$(cluster port)/countersign
    if [[ $redis_here ]]; then redis_url=redis://127.0.0.1:6379/0; fi
    _make "$settings" 0640 root:countersign "$(_filled_in)"
    note "Keep a copy of PORTAL_SEALING_KEYS apart from this machine and from every backup: without it a backup opens nothing."
}

_filled_in() { # the example, with what was given and what is drawn
    _fill DATABASE_URL "$database_url" <"$files/environment.example" |
        _fill PORTAL_SECRET_KEY "$(_random 64)" |
        _fill PORTAL_SEALING_KEYS "k1:$(_random 32)" |
        _fill PORTAL_BASE_URL "https://$domain" |
        _fill PORTAL_ALLOWED_HOSTS "$domain" |
        _fill EMAIL_URL "$mail_url" |
        _fill PORTAL_MAIL_FROM "$mail_from" |
        _fill PORTAL_TRUSTED_PROXIES "${trusted_proxies:-127.0.0.1}" |
        _fill REDIS_URL "$redis_url"
}

_fill() { # name, value; without a value the line stays as it is
    NAME=$1 VALUE=$2 awk '
        ENVIRON["VALUE"] != "" && ($0 ~ "^#?" ENVIRON["NAME"] "=") { print ENVIRON["NAME"] "=" ENVIRON["VALUE"]; next }
        { print }'
}

_make() { # file, mode, owner:group, text: never over another
    say "make $1"
    if [[ $dry_run ]]; then return; fi
    install -m "$2" -o "${3%:*}" -g "${3#*:}" /dev/null "$1.unfinished"
    printf '%s\n' "$4" >"$1.unfinished"
    mv --no-clobber "$1.unfinished" "$1"
}

_random() { head -c "$1" /dev/urandom | base64 --wrap=0 | tr '+/' '-_'; }

_drawn() { head -c 32 /dev/urandom | sha256sum | head -c 48; }
