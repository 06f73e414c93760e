#!/usr/bin/env bash
# Installs what is missing, and says so first:  scripts/bootstrap.sh run|test
# `scripts/bootstrap.sh packages` only names the Debian packages that the program needs.
#
# System packages come from Debian (through sudo unless we are root), uv from PyPI into .uv/, the locked Python
# packages into .venv/. Everything else stays as it is. Where nothing is missing it's over in a moment.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}
uv_version=0.13.9

# uv brings certificates of its own; the machine's are the ones that its owner chose.
bundle=/etc/ssl/certs/ca-certificates.crt
[ -e "$bundle" ] && export SSL_CERT_FILE=${SSL_CERT_FILE:-$bundle}

say() { printf '%s\n' "$*"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Pango and its parts are for templates that an office wrote in HTML.
needed=(ca-certificates libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 python3 python3-venv tesseract-ocr tesseract-ocr-vie tzdata util-linux)
# libatomic1 is for the Node.js that Playwright brings along: no package asks for it.
[ "$purpose" = test ] && needed+=(chromium fonts-dejavu-core fonts-dejavu-extra iproute2 libatomic1 openssl poppler-utils openjdk-17-jdk-headless libjaxb-java libbcmail-java libbcpkix-java libpdfbox2-java sane-airscan sane-utils softhsm2)
if [ "$purpose" = packages ]; then printf '%s\n' "${needed[@]}" postgresql; exit; fi

missing=()
if command -v dpkg-query >/dev/null; then
  there=" $(dpkg-query --show --showformat '${db:Status-Status}:${Package} ' "${needed[@]}" 2>/dev/null || true)"
  for package in "${needed[@]}"; do [[ $there == *" installed:$package "* ]] || missing+=("$package"); done
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
else
  say "Không phải Debian: hãy tự cài ${needed[*]} postgresql. (Not Debian: install these yourself.)"
fi

if [ ${#missing[@]} -gt 0 ]; then
  say "Sẽ cài gói hệ thống (will install from Debian): ${missing[*]}"
  install=(env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}")
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    say "Cần quyền root; hãy chạy lệnh này bằng root rồi thử lại. (As root, run this, then try again.)"
    say "  apt-get update && ${install[*]:2}"
    exit 1
  fi
  # Debian would make and start a database for the whole machine; we only want the programs.
  quiet=/etc/postgresql-common/createcluster.d/hoso.conf
  case " ${missing[*]} " in
    *' postgresql '*)
      as_root mkdir -p "${quiet%/*}"
      say 'create_main_cluster = false' | as_root tee "$quiet" >/dev/null
      trap 'as_root rm -f "$quiet"' EXIT
      ;;
  esac
  as_root apt-get update --quiet=2
  as_root "${install[@]}" >/dev/null
fi

if [ ! -x .uv/bin/uv ] || [ "$(.uv/bin/uv --version | cut -d' ' -f2)" != "$uv_version" ]; then
  say "Sẽ cài (will install) uv $uv_version → .uv/"
  python3 -m venv --clear .uv
  .uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
fi

# The tests' packages stay when `make run` comes after `make test`.
if [ "$purpose" = test ]; then sync=(--all-extras); else sync=(--all-extras --no-dev --inexact); fi
state=$(cat uv.lock pyproject.toml "$0" | sha256sum | cut -d' ' -f1)
mark=.venv/.installed-for-$purpose
if [ ! -x .venv/bin/hoso ] || [ "$(cat "$mark" 2>/dev/null)" != "$state" ]; then
  say "Sẽ cài các gói Python đã khóa phiên bản (will install the locked Python packages) → .venv/"
  UV_PYTHON_DOWNLOADS=never .uv/bin/uv sync --quiet --frozen --python python3 "${sync[@]}"
  say "$state" >"$mark"
  # Exact for one purpose may be incomplete for the other.
  [ "$purpose" = test ] && say "$state" >.venv/.installed-for-run || true
fi
