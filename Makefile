# Hồ sơ số. `make run` and `make test` install what is missing; there is nothing else to prepare.
.DEFAULT_GOAL := help
.PHONY: help run test test-minio bundle screenshots

help: ## In bảng này · print this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

run: ## Cài những gì còn thiếu rồi khởi động tất cả; Ctrl-C để dừng · install what is missing and start everything
	@scripts/bootstrap.sh run
	@exec .venv/bin/hoso up

test: ## Cài những gì còn thiếu rồi kiểm tra tất cả, khoảng nửa giờ · install what is missing and check everything
	@scripts/bootstrap.sh test
	@scripts/check.sh

bundle: ## Đóng mọi thứ vào một tệp để cài nơi không có mạng · one file that installs where there is no network
	@scripts/bundle.sh

test-minio: ## Dựng một MinIO thật bằng Go rồi kiểm tra kho tệp trên đó · build a real MinIO with Go and test the object store on it
	@scripts/bootstrap.sh test
	@minio=$$(scripts/minio.sh) && PATH="$$PATH:$$(dirname "$$minio")" .venv/bin/python -m pytest -q -k "minio" tests/contract tests/integration/test_fixity.py tests/integration/test_log_stamps.py tests/integration/test_backup_drill.py

screenshots: ## Chụp mọi trang vào build/screenshots để xem tận mắt · photograph every page, to see a change with one's own eyes
	@scripts/bootstrap.sh test
	@.venv/bin/python -m scripts.screenshots
