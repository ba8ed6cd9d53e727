# shellcheck shell=bash
# Units of systemd: what serves is exchanged one after the other, and waited for.

serving=(countersign-web countersign-stream countersign-work)
units=/etc/systemd/system

install_units() {
    local file name calls_for=units
    for file in "$files"/systemd/* "$files"/systemd/*/*; do
        if [[ ! -f $file ]]; then continue; fi
        name=${file#"$files/systemd/"}
        put "$units/$name" 0644 root:root <"$file"
    done
    calls_for=""
    if is_owed units && [[ ! $dry_run ]]; then
        quietly systemctl daemon-reload
        settle units
    fi
    for name in "${serving[@]}"; do _enable "$name.service"; done
    if [[ $(setting PORTAL_BACKUP_RECIPIENT) ]]; then _start_timer countersign-backup.timer; fi
    if [[ $(setting PORTAL_DRILL_URL) ]]; then _start_timer countersign-drill.timer; fi
}

_start_timer() {
    _enable "$1"
    if ! systemctl is-active --quiet "$1"; then act "start $1" systemctl start "$1"; fi
}

_enable() {
    if systemctl is-enabled --quiet "$1" 2>/dev/null; then return; fi
    act "let $1 start with the machine" systemctl enable "$1"
}

restart_units() {
    local unit
    for unit in "${serving[@]}"; do
        if ! systemctl is-active --quiet "$unit"; then
            act "start $unit" systemctl start "$unit"
        elif ! _is_up_to_date "$unit"; then
            act "restart $unit" systemctl restart "$unit"
        fi
        if [[ ! $dry_run ]]; then _wait_for "$unit"; fi
    done
}

_is_up_to_date() { # it runs the release that is installed, with its unit and the settings as they are
    local pid began file
    pid=$(systemctl show --property MainPID --value "$1")
    began=$(date --date "$(systemctl show --property ExecMainStartTimestamp --value "$1")" +%s)
    for file in "$settings" "$units/$1.service" "$units"/countersign-.service.d/*; do
        [[ $(stat -c %Y "$file") -le $began ]] || return 1
    done
    [[ $(tr '\0' '\n' <"/proc/$pid/cmdline" | head -n 1) == "$release"/bin/* ]]
}

_wait_for() {
    case $1 in
        countersign-web) _wait_for_url http://127.0.0.1:8000/readyz ;;
        countersign-stream) _wait_for_url http://127.0.0.1:8001/readyz ;;
    esac
    systemctl is-active --quiet "$1" || die "$1 does not run: journalctl -u $1"
}

_wait_for_url() { # URL, host name: a minute at most; it has to be of the release that was installed
    local said
    said=$(_ask "$@" 2>&1) || die "${said##*$'\n'} (journalctl -u 'countersign-*' says more)"
}

_ask() {
    local through=""
    # Behind a balancer that hands on whole connections nginx wants to be told first whose one is.
    if [[ $1 == https:* ]] && grep -qsE '^\s*listen\s.*\sproxy_protocol\b' "$site"; then through=yes; fi
    python3 - "$1" "${2:-localhost}" "$version" "$through" <<'PYTHON'
import http.client, json, ssl, sys, time, urllib.parse

url, host, version, through = sys.argv[1:]
parts = urllib.parse.urlsplit(url)
# It is this machine that is asked: whose certificate that is says nothing here.
anybody = ssl._create_unverified_context()


class Said(http.client.HTTPConnection):
    def connect(self):
        super().connect()
        if through:
            self.sock.sendall(b"PROXY UNKNOWN\r\n")
        if parts.scheme == "https":
            self.sock = anybody.wrap_socket(self.sock, server_hostname=host)


def said():
    connection = Said(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), timeout=5)
    try:
        connection.request("GET", parts.path, headers={"Host": host})
        return connection.getresponse().read().decode(errors="replace")
    finally:
        connection.close()


until, told = time.monotonic() + 60, "nothing"
while time.monotonic() < until:
    try:
        told = said()
        found = json.loads(told)
        if found["ready"] and found["version"] == version:
            sys.exit()
    except (OSError, ValueError, LookupError, http.client.HTTPException) as error:
        told = told if isinstance(error, (ValueError, LookupError)) else str(error)
    time.sleep(0.2)
sys.exit(f"{url} says: {told[:500]}")
PYTHON
}
