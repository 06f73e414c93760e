#!/usr/bin/env bash
# Build a real MinIO with Go, outside the repository, and say where it lies; one that is on the PATH is taken as it is.
# Ends with 3 when there is no Go, with 4 when it can't be built (no network).
set -uo pipefail
PATH="$PATH:/usr/local/go/bin"
if command -v minio; then exit 0; fi
command -v go >/dev/null || { echo "Không có Go, nên không dựng được MinIO. (There is no Go to build MinIO with.)" >&2; exit 3; }
bin=$(go env GOBIN)
bin=${bin:-$(go env GOPATH)/bin}
if [ ! -x "$bin/minio" ]; then
  GOBIN="$bin" GOFLAGS=-p=2 timeout 1500 nice -n 10 go install github.com/minio/minio@latest >&2 || {
    echo "Không dựng được MinIO; có lẽ không có mạng. (MinIO can't be built; perhaps there is no network.)" >&2
    exit 4
  }
fi
echo "$bin/minio"
