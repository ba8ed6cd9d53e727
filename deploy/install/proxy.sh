# shellcheck shell=bash
# nginx with TLS in front of the node, where it is here.

tls=/etc/countersign/tls
site=/etc/nginx/sites-available/countersign.conf

_reload() { # what nginx cannot take over while it runs it notes, and goes on as before: `nginx -t` does not say so
    local noted=/var/log/nginx/error.log size=0
    if [[ -f $noted ]]; then size=$(stat --format=%s "$noted"); fi
    quietly systemctl reload-or-restart nginx
    sleep 1
    # To its end: a reader that stops early would make the whole fail where the log has grown long.
    if tail -c "+$((size + 1))" "$noted" 2>/dev/null | grep '\[emerg\]' >/dev/null; then
        act "restart nginx, which could not take this over while it ran" systemctl restart nginx
    fi
}

install_proxy() {
    if [[ ! $nginx_here ]]; then return; fi
    local host calls_for=nginx
    host=${domain:-$(_host "$(setting PORTAL_BASE_URL)")}
    host=${host%%:*}
    _certificate "$host"
    put "$site" 0644 root:root < <(sed "s/portal\.example\.com/$host/g" "$files/nginx/countersign.conf")
    link "$site" /etc/nginx/sites-enabled/countersign.conf
    if [[ $nginx_is_new && -L /etc/nginx/sites-enabled/default ]]; then
        act "put away the page that nginx comes with" rm /etc/nginx/sites-enabled/default
    fi
    if grep -q '^\s*worker_connections 768;' /etc/nginx/nginx.conf 2>/dev/null; then
        act "let nginx keep 8192 connections, two for each socket" \
            sed -i 's/^\(\s*\)worker_connections 768;/\1worker_connections 8192;/' /etc/nginx/nginx.conf
    fi
    calls_for=nginx-limits
    put "$units/nginx.service.d/countersign.conf" 0644 root:root <"$files/nginx/limits.conf"
    calls_for=""
    if [[ $dry_run ]]; then return; fi
    if is_owed nginx-limits; then
        quietly nginx -t
        quietly systemctl daemon-reload
        quietly systemctl restart nginx
        settle nginx-limits
        settle nginx
    elif is_owed nginx; then
        quietly nginx -t
        _reload
        settle nginx
    fi
    _enable nginx.service
    if ! systemctl is-active --quiet nginx; then act "start nginx" systemctl start nginx; fi
    _wait_for_url https://127.0.0.1/readyz "$host"
}

_certificate() { # host
    if [[ $certificate ]]; then
        _folder "$tls" 0750 root:root
        link "$certificate" "$tls/certificate.pem"
        link "$certificate_key" "$tls/key.pem"
    elif [[ ! -e $tls/certificate.pem ]]; then
        _folder "$tls" 0750 root:root
        act "make a certificate for a trial: no browser trusts it; give your own with --certificate" \
            _make_certificate "$1"
    fi
}

_make_certificate() {
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj "/CN=$1" \
        -addext "subjectAltName=DNS:$1" -keyout "$tls/key.pem.unfinished" -out "$tls/certificate.pem.unfinished")
    mv "$tls/key.pem.unfinished" "$tls/key.pem"
    mv "$tls/certificate.pem.unfinished" "$tls/certificate.pem"
}
