# recorder.awk - tables and ratios from the figures of recorder.sh, lines of
# sockets what wall_ms cpu_ms user_ms peak_KiB count bytes
{
	key = $1 " " $2
	if (!(key in wall)) {
		wall[key] = $3
		cpu[key] = $4
		if (!($1 in seen))
			sizes[++n] = $1
		seen[$1] = seen[$1] " " $2
	}
	wall[key] = least(wall[key], $3)
	cpu[key] = least(cpu[key], $4)
	peak[key] = $6 > peak[key] ? $6 : peak[key]
	count[key] = $7
	bytes[key] = $8
}
END {
	for (i = 1; i <= n; i++)
		table(sizes[i])
	for (i = 1; i <= n; i++)
		ratios(sizes[i])
	growth()
}
function least(a, b) { return a + 0 < b + 0 ? a + 0 : b + 0 }
function table(size,    parts, k, p) {
	printf "\n### %d sockets\n\n", size
	print "| what | wall ms | CPU ms | CPU us a socket | peak KiB | peak B a socket | bytes out |"
	print "|---|--:|--:|--:|--:|--:|--:|"
	k = split(seen[size], parts, " ")
	for (p = 1; p <= k; p++)
		row(size, parts[p])
}
function row(size, what,    key) {
	key = size " " what
	printf "| %s | %.1f | %.1f | %.2f | %d | %d | %d |\n", what, wall[key], cpu[key],
		cpu[key] * 1000 / size, peak[key], peak[key] * 1024 / size, bytes[key]
}
function ratios(size,    base_wall, base_cpu, parts, k, p, key) {
	base_wall = wall[size " bare-dump"] + wall[size " bare-walk"]
	base_cpu = cpu[size " bare-dump"] + cpu[size " bare-walk"]
	if (!shown++) {
		print "\n### Against bare dump + bare walk, one after the other\n"
		print "| sockets | what | wall | CPU | one-shot (warm) is faster, wall |"
		print "|--:|---|--:|--:|--:|"
	}
	k = split(seen[size], parts, " ")
	for (p = 1; p <= k; p++) {
		key = size " " parts[p]
		if (parts[p] ~ /^bare/)
			continue
		printf "| %d | %s | %.2f | %.2f | %s |\n", size, parts[p], wall[key] / base_wall,
			cpu[key] / base_cpu, parts[p] ~ /^(ss|lsof)$/ ? \
			sprintf("%.1f x", wall[key] / wall[size " one-shot-warm"]) : ""
	}
}
function growth(    i, what, parts, k, p) {
	if (!("200000 one-shot-warm" in cpu))
		return
	print "\n### CPU a socket, against that at 200,000\n"
	print "| sockets | bare dump | bare walk | one-shot cold | one-shot warm | service |"
	print "|--:|--:|--:|--:|--:|--:|"
	for (i = 1; i <= n; i++)
		if (sizes[i] >= 20000)
			printf "| %d | %.2f | %.2f | %.2f | %.2f | %.2f |\n", sizes[i], per(i, "bare-dump"),
				per(i, "bare-walk"), per(i, "one-shot-cold"), per(i, "one-shot-warm"), per(i, "service")
}
function per(i, what) {
	return (cpu[sizes[i] " " what] / sizes[i]) / (cpu["200000 " what] / 200000)
}
