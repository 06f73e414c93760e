#!/usr/bin/env bash
# Installs Hồ sơ số from this folder, without a network:  sudo ./install.sh
#
# Each version gets a folder of its own, /opt/hoso-<version>; /opt/hoso is a link to the one in use. So the way back
# from an upgrade is that link and the backup made before it. Run it again as often as you like. It starts nothing.
set -euo pipefail
cd "$(dirname "$0")"
say() { printf '%s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die 'Cần quyền root: sudo ./install.sh. Chưa có gì thay đổi. (As root, please. Nothing was changed.)'
. /etc/os-release
name=$(cat name)
[ "${ID:-}${VERSION_ID:-} $(dpkg --print-architecture)" = "debian12 ${name##*-}" ] ||
  die "Bộ cài này dành cho Debian 12 ${name##*-}. Chưa có gì thay đổi. (Made for that system. Nothing was changed.)"
[ -L /opt/hoso ] || [ ! -e /opt/hoso ] ||
  die '/opt/hoso là thư mục, không phải liên kết; hãy đổi tên rồi chạy lại. (It is a folder, not a link: rename it, then run again.)'

say '1/3 Kiểm tra bộ cài (checking this folder)'
sha256sum --check --quiet SHA256SUMS ||
  die 'Bộ cài không nguyên vẹn; hãy chép lại. Chưa có gì thay đổi. (Damaged: copy it again. Nothing was changed.)'

say '2/3 Gói Debian (Debian packages)'
mapfile -t needed <debian/needed
work=$(mktemp -d)
quiet=/etc/postgresql-common/createcluster.d/hoso.conf
trap 'rm -rf "$work"; rm -f "$quiet"' EXIT
# What is here was held against SHA256SUMS; apt reads this folder and no other source.
mkdir -p "$work"/{lists,archives}/partial "${quiet%/*}"
printf 'deb [trusted=yes] file:%s ./\n' "$PWD/debian" >"$work/sources.list"
printf 'create_main_cluster = false\n' >"$quiet"
chmod -R a+rX "$work"
apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State::lists=$work/lists" -o "Dir::Cache::archives=$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  -o APT::Sandbox::User=root)
"${apt[@]}" update
"${apt[@]}" --yes --no-install-recommends install "${needed[@]}" >/dev/null

say '3/3 Hồ sơ số → /opt/hoso'
getent passwd hoso >/dev/null || useradd --system --create-home --home-dir /var/lib/hoso --shell /usr/sbin/nologin hoso
target=/opt/${name%-debian12-*}
if [ ! -e "$target/.complete" ]; then
  rm -rf "$target"
  mkdir -p "$target"
  /usr/bin/python3 -m venv "$target/.venv"
  pip=("$target/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links python)
  "${pip[@]}" --require-hashes --requirement python/requirements.txt
  "${pip[@]}" --no-deps python/hoso-*.whl
  cp -r LICENSE README.md deploy docs "$target/"
  touch "$target/.complete"
fi
ln -sfn "$target" /opt/hoso.new
mv -T /opt/hoso.new /opt/hoso
ln -sfn /opt/hoso/.venv/bin/hoso /usr/local/bin/hoso
say "Đã cài $name. Thử ngay: hoso up. Vận hành thật: docs/operations.md."
say '(Installed. To try it: hoso up. For production: /opt/hoso/docs/operations.md, units in /opt/hoso/deploy/systemd.)'
