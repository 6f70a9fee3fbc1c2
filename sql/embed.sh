#!/bin/sh
# embed.sh NAME FILE - prints FILE as the C string constant NAME. Used by the build.
set -eu
printf '/* Made from %s by embed.sh. */\nextern const char %s[];\nconst char %s[] =\n' "${2##*/}" "$1" "$1"
sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$/\\n"/' "$2"
printf ';\n'
