# summary.awk -v what=NAME testlog.json - result lines for run.sh out of Meson's log: one for each
# test program, with the number of tests in it where Criterion counted them.

# The text of a JSON member that is a plain string or number.
function member(name,    text) {
	if (!match($0, "\"" name "\": (\"[^\"]*\"|[-0-9.]+)"))
		return ""
	text = substr($0, RSTART, RLENGTH)
	sub(/^"[a-z]+": "?/, "", text)
	sub(/"$/, "", text)
	return text
}

# The number behind a word of Criterion's closing line.
function counted(word,    text) {
	if (!match($0, "Synthesis: [^\\\\]*" word ": [0-9]+"))
		return 0
	text = substr($0, RSTART, RLENGTH)
	sub(/.*: /, "", text)
	return text + 0
}

{
	name = member("name")
	outcome = member("result")
	seconds = sprintf("%.1f s", member("duration"))
	tests = counted("Passing")
	bad = counted("Failing") + counted("Crashing")
	if (outcome == "OK")
		print "ok " what ": " name (tests ? " (" tests " tests, " seconds ")" : " (" seconds ")")
	else if (outcome == "SKIP")
		print "skip " what ": " name ": said so"
	else {
		print "not ok " what ": " name ": " outcome (bad ? ", " bad " of " (tests + bad) " tests" : "")
		if (tests)
			print "ok " what ": " name ", the others (" tests " tests)"
	}
}
