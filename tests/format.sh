#!/bin/sh
# format.sh [--fix] - is all C as .clang-format says? With --fix: make it so.
set -eu
cd "$(dirname "$0")/.."
mode='--dry-run -Werror'
[ "${1:-}" = --fix ] && mode=-i
# shellcheck disable=SC2086
find common recorder analyzer tests samples -name '*.[ch]' -exec clang-format $mode --style=file {} +
