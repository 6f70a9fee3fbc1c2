#!/bin/sh
# layers.sh BUILD - does every dependency point the allowed way? recorder -> common <- analyzer,
# libnl for the recorder alone; and do the house rules hold that a machine can check?
# Prints a line for each offence; exit code 1 if there was one.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:?usage: sh tests/layers.sh BUILD}
offences=0
offence() {
	echo "$*"
	offences=$((offences + 1))
}

# A finished file needs only these libraries. $1: file; $2: regular expression of what is allowed.
needs_only() {
	if [ ! -f "$1" ]; then
		offence "$1: not built"
		return
	fi
	for library in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'); do
		echo "$library" | grep -Eq "^($2|libc|libm|ld-linux.*)\.so" ||
			offence "$1: needs $library"
	done
}
needs_only "$build/recorder/socklapse-record" 'libnl-3|libsqlite3|libz'
needs_only "$build/analyzer/socklapse" 'libsqlite3|libz'
[ ! -f "$build/analyzer/socklapse.so" ] || needs_only "$build/analyzer/socklapse.so" 'libsqlite3|libz'

# Every header named in quotes lies in the same folder or in common. $1: folder.
includes_of() {
	# shellcheck disable=SC2044 # no file name of ours holds a space
	for file in $(find "$1" -name '*.[ch]'); do
		for header in $(sed -n 's/^#include "\(.*\)"$/\1/p' "$file"); do
			[ -f "${file%/*}/$header" ] || [ -f "common/$header" ] ||
				offence "$file: includes $header, which is neither in $1 nor in common"
		done
	done
}
includes_of common
includes_of recorder
includes_of analyzer

# Files whose lines match $1, among the rest of the arguments.
grep_offence() {
	pattern=$1 what=$2
	shift 2
	for file in $(grep -lE "$pattern" "$@" /dev/null); do
		offence "$file: $what"
	done
}
libraries=$(find common recorder analyzer -name '*.c' ! -name main.c ! -name 'cmd_*.c' ! -name pager.c)
# shellcheck disable=SC2046,SC2086
{
	grep_offence '#include <netlink/' 'uses libnl' $(find common analyzer -name '*.[ch]')
	# With nothing between the parentheses a comment speaks of it.
	grep_offence '(^|[^a-z_])((printf|puts|perror|exit|_exit)\(([^)]|$)|abort\()' \
		'prints or exits; only main.c and cmd_*.c may' $libraries
	grep_offence '(^|[^a-z_])(strcpy|strcat|sprintf|gets|alloca|atoi|strtok)\(' \
		'uses a function that checks nothing' $(find common recorder analyzer -name '*.[ch]')
}
# shellcheck disable=SC2044 # no file name of ours holds a space
for file in $(find common recorder analyzer samples -name '*.[ch]'); do
	[ "$(wc -l <"$file")" -le 500 ] || offence "$file: longer than 500 lines"
done

[ "$offences" -eq 0 ]
