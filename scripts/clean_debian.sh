# A clean Debian 12 without any network, for the scripts that source this:  . scripts/clean_debian.sh
#
# As root. HOSO_CLEAN_DEBIAN names a folder with a minimal Debian 12, as `debootstrap --variant=minbase bookworm FOLDER`
# makes it; it stays as it is. Gives `$root`, thrown away at the end, and `there`, which runs a command in it.
# shellcheck shell=bash
[ "$(id -u)" = 0 ] || { echo 'Cần quyền root. (As root, please.)' >&2; exit 64; }
clean=${HOSO_CLEAN_DEBIAN:?a folder with a minimal Debian 12, see scripts/clean_debian.sh}
# Processes and mounts end with the script, and nothing inside reaches beyond its own loopback.
[ -n "${HOSO_ALONE:-}" ] || exec env HOSO_ALONE=1 unshare --net --mount --pid --fork --kill-child "$0" "$@"

root=$(mktemp -d "${TMPDIR:-/tmp}/hoso-clean.XXXXXX")
trap 'umount -lR "$root/proc"; umount -lR "$root/dev"; rm -rf --one-file-system "$root"' EXIT
cp -a "$clean/." "$root/"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
ip link set lo up
: >"$root/etc/apt/sources.list"
rm -rf "$root"/etc/apt/sources.list.d/*

step() { printf '\n--- %s\n' "$*"; }
there() { chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }
unpack() {  # unpack BUNDLE.tar: gives the folder's name inside
  tar --extract --file "$1" --directory "$root/root"
  echo "/root/$(basename "$1" .tar)"
}
