# Hồ sơ số. `make run` and `make test` install what is missing; there is nothing else to prepare.
.DEFAULT_GOAL := help
.PHONY: help run test bundle screenshots

help: ## In bảng này · print this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

run: ## Cài những gì còn thiếu rồi khởi động tất cả; Ctrl-C để dừng · install what is missing and start everything
	@scripts/bootstrap.sh run
	@exec .venv/bin/hoso up

test: ## Cài những gì còn thiếu rồi kiểm tra tất cả, khoảng nửa giờ · install what is missing and check everything
	@scripts/bootstrap.sh test
	@scripts/check.sh

bundle: ## Đóng mọi thứ vào một tệp để cài nơi không có mạng · one file that installs where there is no network
	@scripts/bundle.sh

screenshots: ## Chụp mọi trang vào build/screenshots để xem tận mắt · photograph every page, to see a change with one's own eyes
	@scripts/bootstrap.sh test
	@.venv/bin/python -m scripts.screenshots
