#!/bin/sh
# install.sh BUILD - what `meson install` puts where; and whether manual pages and completions name
# every option that the programs have, and no other one.
set -u
build=$(cd "${1:?usage: sh tests/install.sh BUILD}" && pwd) || exit 2
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8 NO_COLOR=1
work=$(mktemp -d "${TMPDIR:-/tmp}/socklapse-test.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

DESTDIR=$work/root meson install -C "$build" --no-rebuild >"$work/log" 2>&1 || {
	echo "not ok meson install: $(tail -n 1 "$work/log")"
	exit 1
}
(cd "$work/root" && find . -type f) >"$work/files"

# Without dpkg-dev Meson takes lib64 for lib.
for file in bin/socklapse-record bin/socklapse 'lib[0-9]*/.*socklapse/socklapse.so' \
	share/man/man1/socklapse-record.1 share/man/man1/socklapse.1 \
	share/man/man7/socklapse-filter.7 share/bash-completion/completions/socklapse \
	share/bash-completion/completions/socklapse-record share/zsh/site-functions/_socklapse \
	lib/systemd/system/socklapse-record.service lib/systemd/system/socklapse-snapshot.service \
	lib/systemd/system/socklapse-snapshot.timer lib/sysusers.d/socklapse.conf \
	lib/tmpfiles.d/socklapse.conf share/socklapse/socklapse.cron; do
	if grep -q "/$file\$" "$work/files"; then
		echo "ok $file is installed"
	else
		echo "not ok $file is installed: it is not there"
	fi
done

bin=/$(sed -n 's|^\./\(.*\)/socklapse-record$|\1|p' "$work/files" | grep '/bin$')
grep -E 'service$|cron$' "$work/files" | while read -r file; do
	if grep -q "$bin/socklapse-record" "$work/root/$file"; then
		echo "ok ${file##*/} runs $bin/socklapse-record"
	else
		echo "not ok ${file##*/} runs $bin/socklapse-record: it does not"
	fi
done
if "$work/root$bin/socklapse-record" -o "$work/r" -q && "$work/root$bin/socklapse" -f "$work/r" list -H >"$work/out"; then
	echo 'ok the installed programs run'
else
	echo 'not ok the installed programs run: they do not'
fi

units=$(dirname "$(grep 'snapshot.timer$' "$work/files")")
if command -v systemd-analyze >/dev/null; then
	systemd-analyze verify --root="$work/root" --man=no --recursive-errors=no \
		"$work/root/$units"/*.service "$work/root/$units"/*.timer >"$work/out" 2>&1
	if grep -i socklapse "$work/out" >"$work/bad"; then
		echo "not ok systemd-analyze verify: $(head -n 1 "$work/bad")"
	else
		echo 'ok systemd-analyze verify'
	fi
else
	echo 'skip systemd-analyze verify: it is not here'
fi

# --- manual pages ---
for page in recorder/socklapse-record.1 analyzer/socklapse.1 common/socklapse-filter.7; do
	if command -v mandoc >/dev/null; then
		mandoc -Tlint -W warning "$page" >"$work/out" 2>&1
	else
		groff -ww -mdoc -Tutf8 -z "$page" >"$work/out" 2>&1
	fi
	if [ -s "$work/out" ]; then
		echo "not ok ${page##*/} is good mdoc: $(head -n 1 "$work/out")"
	else
		echo "ok ${page##*/} is good mdoc"
	fi
done

# The long options of a help text, a manual page, a completion.
of_help() {
	sed -n 's/^  \(-., \|    \)--\([a-z][a-z0-9-]*\).*/\2/p' | sort -u
}
of_page() {
	grep '^\.It Fl' "$1" | grep -o 'Fl -[a-z][a-z0-9-]*' | sed 's/^Fl -//' | sort -u
}
of_completion() {
	grep -o -- '--[a-z][a-z0-9-]*' "$1" | sed 's/^--//' | sort -u
}
# $1: name; $2, $3: files that have to be the same.
same() {
	if [ -s "$2" ] && cmp -s "$2" "$3"; then
		echo "ok $1: $(wc -l <"$2") options"
	else
		echo "not ok $1: $(diff "$2" "$3" | grep '^[<>]' | tr '\n' ' ')"
	fi
}
"$build/recorder/socklapse-record" --help | of_help >"$work/record"
{
	"$build/analyzer/socklapse" --help
	for command in $("$build/analyzer/socklapse" --help |
		sed -n '/^commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
		"$build/analyzer/socklapse" "$command" --help
		echo "$command" >>"$work/commands"
	done
} | of_help >"$work/lapse"
of_page recorder/socklapse-record.1 >"$work/record.1"
of_page analyzer/socklapse.1 >"$work/lapse.1"
of_completion recorder/socklapse-record.bash >"$work/record.bash"
of_completion analyzer/socklapse.bash >"$work/lapse.bash"
same 'socklapse-record.1 names every option' "$work/record" "$work/record.1"
same 'socklapse.1 names every option' "$work/lapse" "$work/lapse.1"
same 'completion of socklapse-record names every option' "$work/record" "$work/record.bash"
same 'completion of socklapse names every option' "$work/lapse" "$work/lapse.bash"
sed -n 's/^\.Ss \([a-z]*\).*/\1/p' analyzer/socklapse.1 | sort >"$work/commands.1"
sort "$work/commands" >"$work/commands.sorted"
same 'socklapse.1 names every command' "$work/commands.sorted" "$work/commands.1"
if command -v bash >/dev/null; then
	# shellcheck disable=SC2016
	got=$(bash -c '. analyzer/socklapse.bash
		COMP_WORDS=(socklapse show --at); COMP_CWORD=2; _socklapse; echo "${COMPREPLY[@]}"
		COMP_WORDS=(socklapse tre); COMP_CWORD=1; _socklapse; echo "${COMPREPLY[@]}"' | tr '\n' ' ')
	if [ "$got" = '--at trend ' ]; then
		echo 'ok bash completes options and commands'
	else
		echo "not ok bash completes options and commands: $got"
	fi
fi
