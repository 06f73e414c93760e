#!/usr/bin/env bash
# Installs a bundle in a clean Debian 12 that has no network, and uses it there:  scripts/try_bundle.sh BUNDLE.tar
#
# A damaged one is refused, a whole one installs, twice, and the demo goes from paper to a citizen's verdict.
set -euo pipefail
: "${1:?scripts/try_bundle.sh BUNDLE.tar}"
. "$(dirname "$0")/clean_debian.sh"
inside=$(unpack "$1")

step 'không có mạng (there is no network)'
! there getent hosts deb.debian.org

step 'bộ cài hỏng bị từ chối (a damaged one is refused)'
wheels=("$root$inside"/python/*.whl)
cp "${wheels[0]}" "$root/kept.whl"
printf x >>"${wheels[0]}"
! there "$inside/install.sh"
test ! -e "$root/opt/hoso"
mv "$root/kept.whl" "${wheels[0]}"

step 'cài, rồi cài lại (installing, and again)'
there "$inside/install.sh"
there "$inside/install.sh"

step 'dùng (using it)'
there hoso demo
