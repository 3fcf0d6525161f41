#!/usr/bin/env bash
# bare_debian.sh - a stranger's first minutes: a clean clone in a bare Debian 12, and nothing but
# the README read. Makes the system with debootstrap from this machine's own package sources, enters
# it by chroot, and runs the demo, the demo on real days, and the tests.
#
#   tests/process/bare_debian.sh [--keep DIR]     root only; DIR is left for a look afterwards
#
# CALLOUT_DATA names a folder with day-* folders; without it the demo runs on its own day only.
# Everything happens in a mount and process namespace of its own, so nothing stays mounted and no
# process stays behind, however this ends.
set -eu

die() {
    echo "bare_debian: $*" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || die "only root may make and enter another system"
command -v debootstrap >/dev/null || die "debootstrap is not installed"

if [ "${BARE_DEBIAN_INSIDE:-}" != yes ]; then
    BARE_DEBIAN_INSIDE=yes exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi

clean_up() {
    umount -R "$root/proc" "$root/dev" 2>/dev/null || true
    rm -rf --one-file-system "${root%/root}"
}

repository=$(cd "$(dirname "$0")/../.." && pwd)
data=${CALLOUT_DATA:-$repository/../shared/data/liechtenstein}
keep=
if [ "${1:-}" = --keep ]; then
    keep=${2:?--keep needs a folder}
    mkdir -p "$keep"
    root=$(cd "$keep" && pwd)/root
else
    root=$(mktemp -d /var/tmp/callout-bare.XXXXXX)/root
    trap clean_up EXIT
fi

# --- the bare system ---------------------------------------------------------------------------
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "bookworm" { print $2; exit }')
[ -n "$mirror" ] || die "this machine's package sources know no bookworm"
began=$SECONDS
log=${root%/root}/debootstrap.log
[ -e "$root/etc/debian_version" ] ||
    debootstrap --variant=minbase bookworm "$root" "$mirror" >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "debootstrap failed"; }
echo "bare_debian: made in $((SECONDS - began)) s"

rm -rf "$root"/etc/apt/sources.list*
for part in sources.list sources.list.d keyrings trusted.gpg trusted.gpg.d preferences.d; do
    [ ! -e "/etc/apt/$part" ] || cp -a "/etc/apt/$part" "$root/etc/apt/"
done
mkdir -p "$root/usr/share/keyrings"
cp -an /usr/share/keyrings/. "$root/usr/share/keyrings/"
apt-config dump | grep -E '^Acquire::(http|https|Check|Retries|Max)' \
    >"$root/etc/apt/apt.conf.d/90host" || true
cp /etc/resolv.conf /etc/hosts "$root/etc/"

# --- a clean clone, and the days ---------------------------------------------------------------
rm -rf "$root/callout" "$root/days"
git clone -q --no-hardlinks "$repository" "$root/callout"
mkdir "$root/days"
for day in "$data"/day-60x8 "$data"/day-300x50; do
    [ ! -d "$day" ] || cp -r "$day" "$root/days/"
done
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"

inside() { # COMMAND...: in the clone, with nothing of our environment
    local began=$SECONDS
    echo "bare_debian: $*"
    if chroot "$root" env -i HOME=/root TERM=dumb PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        sh -c 'cd /callout && exec "$@"' sh "$@"; then
        echo "bare_debian: passed in $((SECONDS - began)) s"
    else
        die "failed: $*"
    fi
}
inside ./run demo --for 60s --json
for day in "$root"/days/*; do
    [ ! -d "$day" ] || inside ./run demo --for 60s --json --day "/days/$(basename "$day")"
done
inside ./run test
