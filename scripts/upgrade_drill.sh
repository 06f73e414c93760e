#!/usr/bin/env bash
# Upgrades an installation with data, and goes back:  scripts/upgrade_drill.sh OLDER.tar NEWER.tar
#
# In a clean Debian 12 without a network. The older program makes a dossier with its e-result and is backed up; the
# newer one takes over the same data; then the way back: the older program, and that backup in an empty place. Each
# time all objects are read again, the audit log is walked, and a citizen's file is looked at by the running service.
set -euo pipefail
: "${2:?scripts/upgrade_drill.sh OLDER.tar NEWER.tar}"
. "$(dirname "$0")/clean_debian.sh"
data=/var/lib/hoso-drill
older=$(unpack "$1")
newer=$(unpack "$2")

up() {  # the service, until `down`
  chroot "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin HOME=/root LANG=C.UTF-8 HOSO_DATA=$data \
    HOSO_DEMO_TRUST_PORT="$port" hoso up >"$root/up.log" 2>&1 &
  service=$!
  for _ in $(seq 240); do
    if there python3 -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:8000/api/v1/health/ready", timeout=5)' 2>/dev/null; then return; fi
    sleep 1
  done
  tail -n 30 "$root/up.log"
  return 1
}
down() {
  kill -TERM "$service"
  wait "$service"
}
look() {  # what there is, and that it is whole
  there env HOSO_DATA=$data hoso objects check
  there env HOSO_DATA=$data hoso audit stamp
  there env HOSO_DATA=$data hoso audit verify
  there /opt/hoso/.venv/bin/python - <<'P'
import glob, httpx2
with httpx2.Client(base_url="http://127.0.0.1:8000", timeout=120) as web:
    for path in sorted(glob.glob("/srv/kept/*.pdf")):
        with open(path, "rb") as file:
            answer = web.post("/api/v1/verifications", files={"file": (path, file, "application/pdf")})
        answer.raise_for_status()
        told = answer.json()
        print(f"{path.rpartition('/')[2]:28} {told['sentence']['vi']['headline']}")
P
}

step 'bản cũ: cài, làm một hồ sơ trọn vòng (the older one: install, one dossier the whole way)'
there "$older/install.sh"
there hoso demo --data $data --keep /srv/kept
# The first programs don't know by themselves where their demo's certificates say that it is.
port=$(sed 's/.*:\([0-9]*\)".*/\1/' "$root$data/demo-trust/service.json")
up
look | tee "$root/before"
there env HOSO_DATA=$data hoso backup --keys-to /srv/keys /srv/backup
down

step 'nâng cấp (the upgrade)'
there "$newer/install.sh"
up
look | tee "$root/after"
down

step 'đường lùi: bản cũ và bản sao lưu (the way back: the older one, and the backup)'
there "$older/install.sh"
rm -rf "${root:?}$data"
there env HOSO_DATA=$data hoso restore --keys-from /srv/keys /srv/backup
up
look | tee "$root/back"
down
step 'ĐẠT (done)'
