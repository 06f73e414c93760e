#!/usr/bin/env bash
# Puts what a Debian 12 without a network needs into one file:  scripts/bundle.sh [FOLDER]   (default: build)
#
# Made of the commit that is checked out, on a Debian 12 with a network: Debian packages with all that they need in
# turn, the locked Python packages (each held against its hash in uv.lock), our own, units and papers. The one file's
# SHA-256 is printed last; whoever carries it to the other machine compares it there.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mkdir -p "${1:-build}" && cd "${1:-build}" && pwd)
scripts/bootstrap.sh run

say() { printf '%s\n' "$*"; }
die() { say "$*" >&2; exit 1; }
. /etc/os-release
[ "${ID:-}${VERSION_ID:-}" = debian12 ] || die 'Chỉ tạo được trên Debian 12. (Can only be made on Debian 12.)'
[ -z "$(git status --porcelain)" ] || die 'Có thay đổi chưa commit. (Commit first: a bundle is made of a commit.)'

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml | head -n 1)
name=hoso-$version-$(git rev-parse --short=10 HEAD)-debian12-$(dpkg --print-architecture)
work=$(mktemp -d "$folder/.bundle.XXXXXX")
trap 'rm -rf "$work"' EXIT
made=$work/$name
mkdir -p "$made"/{debian,python} "$work"/apt/{state/lists/partial,cache/archives/partial}

say '1/4 Gói Debian (Debian packages)'
# As a machine that has nothing yet: then nothing is missing on one that has less than this one.
: >"$work/apt/status"
apt=(apt-get --quiet=2 -o "Dir::State=$work/apt/state" -o "Dir::State::status=$work/apt/status" -o "Dir::Cache=$work/apt/cache"
  -o APT::Sandbox::User=root -o Debug::NoLocking=true)
"${apt[@]}" update
mapfile -t needed < <(scripts/bootstrap.sh packages)
"${apt[@]}" --yes --no-install-recommends --download-only install "${needed[@]}" >/dev/null
for file in "$work"/apt/cache/archives/*.deb; do
  # The file's name is percent-encoded where a version has an epoch; an index must not decode it.
  kept=debian/$(basename "$file" | tr -d '%')
  mv "$file" "$made/$kept"
  dpkg-deb --field "$made/$kept"
  printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "${kept#debian/}" "$(stat -c %s "$made/$kept")" \
    "$(sha256sum "$made/$kept" | cut -d' ' -f1)"
done >"$made/debian/Packages"
printf '%s\n' "${needed[@]}" >"$made/debian/needed"

say '2/4 Gói Python (Python packages)'
.uv/bin/uv export --quiet --frozen --all-extras --no-dev --no-emit-project --no-annotate \
  --format requirements-txt --output-file "$made/python/requirements.txt"
.uv/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
  --dest "$made/python" --requirement "$made/python/requirements.txt"
.uv/bin/uv build --quiet --wheel --out-dir "$made/python"
rm -f "$made/python/.gitignore"

say '3/4 Cách cài, đơn vị systemd, tài liệu (how to install, units, papers)'
git archive HEAD LICENSE README.md deploy docs | tar --extract --directory "$made"
mv "$made/deploy/offline/install.sh" "$made/install.sh"
printf '%s\n' "$name" >"$made/name"
(cd "$made" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >SHA256SUMS)

say '4/4 Đóng gói (packing)'
tar --create --file "$folder/$name.tar.part" --directory "$work" --sort=name --owner=0 --group=0 "$name"
mv "$folder/$name.tar.part" "$folder/$name.tar"
say "$folder/$name.tar, $(du -h "$folder/$name.tar" | cut -f1)"
say 'Đối chiếu dòng này ở máy đích (compare this on the other machine):'
(cd "$folder" && sha256sum "$name.tar")
