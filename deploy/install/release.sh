# shellcheck shell=bash
# Releases lie side by side, each an environment of its own; `current` leads to the one that serves.

releases=/opt/countersign/releases
current=/opt/countersign/current
previous=/opt/countersign/previous

choose_release() { # the version, its folder, and where the files lie that it brings
    if [[ $back_to ]]; then
        [[ -f $releases/$back_to/complete ]] || die "$back_to is not one of: $(_list "$releases")"
        version=$back_to
    else
        [[ $wheel ]] || wheel=$(_newest_beside)
        if [[ $wheel ]]; then
            [[ -f $wheel && $wheel == *countersign_portal-*.whl ]] || die "$wheel is no wheel of Countersign"
            wheel=$(realpath "$wheel")
            version=${wheel##*/countersign_portal-}
            version=${version%%-*}
        else
            [[ -L $current ]] || die "--wheel FILE is missing: there is no wheel beside install.sh"
            version=$(basename "$(readlink "$current")")
        fi
    fi
    [[ $version =~ ^[0-9][0-9a-z.+]*$ ]] || die "$version is no version"
    if [[ $wheels ]]; then
        [[ -d $wheels ]] || die "$wheels is no folder"
        wheels=$(realpath "$wheels")
    fi
    release=$releases/$version
    files=$here
    if [[ -f $release/complete ]]; then files=$(_carried); fi
}

_list() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f ' 2>/dev/null || true; }

_newest_beside() {
    find "$here" "$here/../dist" -maxdepth 1 -name 'countersign_portal-*.whl' 2>/dev/null | sort --version-sort | tail -n 1 || true
}

_carried() { echo "$release"/lib/python3*/site-packages/portal/site/deploy; }

install_release() {
    if [[ -f $release/complete ]]; then
        if [[ $wheel && $(sha256sum <"$wheel") != $(<"$release/complete") ]]; then
            die "$version is installed from another wheel than ${wheel##*/}: give a new release a version of its own"
        fi
        return
    fi
    say "install Countersign $version into $release"
    if [[ $dry_run ]]; then return; fi
    rm -rf "$release"
    quietly python3 -m venv "$release"
    local from=()
    if [[ $wheels ]]; then from=(--no-index --find-links "$wheels"); fi
    quietly _pip --no-deps --no-index "$wheel"
    # What the release was tried with, to the letter; what builds the few that come as source is locked as well.
    local locks
    locks=$(dirname "$(_carried)")/requirements
    quietly _pip "${from[@]}" --require-hashes --requirement "$locks/build.txt"
    quietly _pip "${from[@]}" --require-hashes --no-build-isolation --requirement "$locks/runtime.txt"
    # Under one name, whatever the version of Python: units name a file in it.
    files=$(_carried)
    ln -sfn "${files#"$release/"}" "$release/deploy"
    sha256sum <"$wheel" >"$release/complete.unfinished"
    mv "$release/complete.unfinished" "$release/complete"
}

_pip() { "$release/bin/python" -m pip install --disable-pip-version-check --no-input "$@"; }

countersign() { # a command of the release that is being installed, as its user
    COUNTERSIGN_RELEASE=$release bash "$files/countersign" "$@"
}

is_switched() { [[ $(readlink "$current" || true) == "$release" ]]; }

collect_static_files() {
    if is_switched && [[ -f /var/lib/countersign/static/staticfiles.json ]]; then return; fi
    act "collect static files" countersign collectstatic --no-input
}

switch_release() {
    put /usr/local/bin/countersign 0755 root:root <"$files/countersign"
    if is_switched; then return; fi
    if [[ -L $current ]]; then link "$(readlink "$current")" "$previous"; fi
    link "$release" "$current"
}

forget_old_releases() { # all but the one that serves and the one before it
    local folder
    for folder in "$releases"/*/; do
        folder=${folder%/}
        if [[ ! -d $folder || $folder == "$release" || $folder == "$(readlink "$previous" || true)" ]]; then continue; fi
        act "remove $folder" _forget "$folder"
    done
}

_forget() { # what is left half removed is not taken for a release
    rm -f "$1/complete"
    rm -rf "$1"
}
