# shellcheck shell=bash
# What is said and done: every change goes through here, so that a dry run makes none and a second run is seen to be idle.

log=/var/log/countersign-install.log
changes=0
written=/etc/countersign/written # what lies where by this program's hand, so that what others changed is known

die() {
    trap - ERR
    echo "install.sh: $1" >&2
    exit 1
}

# What a change calls for (a restart, say) is owed from before it is made until it is done: whoever kills this program
# in between has it done by the next run. `calls_for` is set by whoever makes such changes.
unfinished=/etc/countersign/unfinished
calls_for=""

is_owed() { [[ -e $unfinished/$1 ]]; }

settle() {
    changes=$((changes + 1))
    rm -f "$unfinished/$1"
}

say() { # what is being done, or would be
    changes=$((changes + 1))
    if [[ $calls_for && ! $dry_run ]]; then
        install -d "$unfinished"
        : >"$unfinished/$calls_for"
    fi
    if [[ $dry_run ]]; then echo "would $1"; else echo "* $1"; fi
}

note() { echo "  $1"; }

quietly() { # a command, whose words go into the log; its last ones are shown if it fails
    local status=0 said
    said=$(mktemp)
    "$@" >"$said" 2>&1 || status=$?
    { echo "$ $1 ${2:-}" && cat "$said"; } >>"$log"
    if ((status)); then
        said=$(grep . "$said" | tail -n 1)
        die "${1##*/}${2:+ $2}: ${said:-exit status $status} ($log has more)"
    fi
    rm -f "$said"
}

act() { # what, and the command that does it
    say "$1"
    if [[ ! $dry_run ]]; then quietly "${@:2}"; fi
}

begin() {
    ((EUID == 0)) || die "run it as root"
    [[ -d /run/systemd/system ]] || die "this machine does not run systemd"
    [[ -f /etc/debian_version ]] || die "this machine is not Debian, nor made from it"
    exec </dev/null
    if [[ ! $dry_run ]]; then
        exec 9>/run/countersign-install.lock
        flock --nonblock 9 || die "it runs already"
        (umask 077 && date >>"$log")
    fi
}

wrote="" # whether the last `put` changed anything

put() { # file, mode, owner:group; the text comes in on standard input
    local file=$1 mode=$2 owner=$3 text
    text=$(cat && echo .)
    text=${text%.}
    wrote=""
    if [[ -f $file ]]; then
        if printf %s "$text" | cmp --silent - "$file"; then return; fi
        if ! _is_ours "$file"; then
            _beside "$file" "$mode" "$owner" "$text"
            return
        fi
    fi
    say "write $file"
    wrote=yes
    if [[ ! $dry_run ]]; then _write "$file" "$mode" "$owner" "$text"; fi
}

_write() {
    install -d "$(dirname "$1")"
    install -m "$2" -o "${3%:*}" -g "${3#*:}" /dev/null "$1.unfinished"
    printf %s "$4" >"$1.unfinished"
    # Before it lies there: ended in between, it would be taken for somebody else's.
    _remember "$1" "$1.unfinished"
    mv "$1.unfinished" "$1"
    _remember "$1"
}

_beside() { # somebody changed it: what it would be lies beside it, once
    local calls_for=""
    if [[ -f $1.new ]] && printf %s "$4" | cmp --silent - "$1.new"; then return; fi
    say "leave $1, which was changed here, and write $1.new beside it"
    if [[ ! $dry_run ]]; then _write "$1.new" "$2" "$3" "$4"; fi
}

_remember() { # file, and where its next text lies, if that is not yet it
    local others="" text
    text=$(sha256sum <"${2:-$1}")
    if [[ -f $written ]]; then
        if [[ ${2:-} ]]; then others=$(<"$written"); else others=$(grep -vF "  $1" "$written" || true); fi
    fi
    printf '%s\n' "$others" "${text%% *}  $1" | grep . >"$written.unfinished"
    mv "$written.unfinished" "$written"
}

_is_ours() { [[ -f $written ]] && grep -qxF "$(sha256sum "$1")" "$written"; }

link() { # target, link; switched at once
    if [[ $(readlink "$2" || true) == "$1" ]]; then return; fi
    say "let $2 lead to $1"
    if [[ $dry_run ]]; then return; fi
    ln -s -f -T "$1" "$2.unfinished"
    mv -T "$2.unfinished" "$2"
}

finish() {
    echo
    if [[ $dry_run ]]; then
        echo "Nothing was changed: that was a dry run. There is something to do in $changes places."
    elif ((changes == 0)); then
        echo "Nothing was changed: Countersign $version is installed as it should be."
    else
        echo "Countersign $version runs at $(setting PORTAL_BASE_URL)."
    fi
    if [[ $dry_run ]]; then return; fi
    rm -f "$begun"
    if [[ -d $unfinished ]]; then rmdir "$unfinished"; fi
    if [[ ! $is_again && ! $environment ]]; then
        echo "Next, found the first Organization; it asks for the Owner's password and prints their authenticator's secret:"
        echo "  countersign createorganization --name 'Example Ltd' --currency USD --owner-email olive@example.com \\"
        echo "      --owner-name 'Olive Owner'"
    fi
}
