#!/bin/sh
# Folders stand on floors (docs/ARCHITECTURE.md): a file may include headers of
# its own folder and of floors below, libxml2 is known to the files that read
# XML only, and c-ares to the resolver only. Anything else fails.
cd "${top_srcdir:-$(dirname "$0")/..}" || exit 1
floors='base=0 pkcs11=1 cert=1 store=1 config=2 audit=2 eventlog=2 trust=2 identity=2
tls=3 media=4 ocsp=4 net=4 front=5 auth=5 sip=6 web=6 notify=6
calls=7 api=8 app=9 ctl=9'

find src pkcs11 api -name '*.[ch]' | sort | xargs awk -v floors="$floors" '
BEGIN {
	n = split(floors, rows, /[ \n]+/)
	for (i = 1; i <= n; i++) {
		split(rows[i], kv, "=")
		floor[kv[1]] = kv[2]
	}
}
FNR == 1 {
	path = FILENAME
	sub(/^src\//, "", path)
	split(path, part, "/")
	own = part[1]
	if (!(own in floor)) {
		print FILENAME ": folder has no floor"
		bad++
	}
}
/^#[ \t]*include <libxml\// && FILENAME !~ /^api\/(xmlrpc_[a-z]+|audit_xml_read)\.c$/ {
	print FILENAME ":" FNR ": libxml2 has no place here"
	bad++
}
/^#[ \t]*include <ares/ && FILENAME !~ /^src\/sip\/resolver[a-z_]*\.c$/ {
	print FILENAME ":" FNR ": c-ares has no place here"
	bad++
}
/^#[ \t]*include "/ {
	target = $0
	sub(/^[^"]*"/, "", target)
	sub(/".*/, "", target)
	if (target == "config.h")
		next
	if (split(target, part, "/") < 2) {
		print FILENAME ":" FNR ": include without folder: " target
		bad++
	} else if (part[1] != own && !(part[1] in floor)) {
		print FILENAME ":" FNR ": unknown folder: " target
		bad++
	} else if (part[1] != own && floor[part[1]] >= floor[own]) {
		print FILENAME ":" FNR ": floor " floor[own] " (" own \
		    ") may not include floor " floor[part[1]] ": " target
		bad++
	}
}
END { exit bad > 0 }'
