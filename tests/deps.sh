#!/bin/sh
# deps.sh [build|test] - installs what building (or testing, the default) needs and is not there
# yet, with apt-get. Does nothing, and needs no network, if all of it is there.
set -eu

build='gcc libc6-dev meson ninja-build pkg-config libsqlite3-dev libnl-3-dev zlib1g-dev'
test="$build binutils clang clang-format libclang-rt-dev libcriterion-dev sqlite3 iproute2 mandoc \
nftables netbase valgrind libc6-dbg"

case ${1:-test} in
build) wanted=$build ;;
test) wanted=$test ;;
*)
	echo "usage: sh tests/deps.sh [build|test]" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps.sh: no apt-get here; needed are (Debian's names): $wanted" >&2
	exit 0
fi

missing=
for package in $wanted; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps.sh: run as root, or install by hand:$missing" >&2
		exit 1
	fi
	as_root=sudo
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing:$missing"
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		-o APT::Install-Recommends=false "$@" </dev/null >>"$log" 2>&1
}
# shellcheck disable=SC2086
if ! { apt update && apt install $missing; }; then
	tail -n 20 "$log" >&2
	echo "deps.sh: could not install:$missing" >&2
	exit 1
fi
