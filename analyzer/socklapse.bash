# Completion of socklapse for bash: commands, their options, files.
_socklapse() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' options i
	local commands='info list linger trace trend ports show diff sql'
	options='--file --json --ndjson --csv --table --no-header --tz --color --no-pager --help --version'
	for ((i = 1; i < COMP_CWORD; i++)); do
		case " $commands " in
		*" ${COMP_WORDS[i]} "*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $command in
	info)
		options="$options
		--events"
		;;
	list)
		options="$options
		--from --to --last --top"
		;;
	linger)
		options="$options
		--from --to --last --by --top --min --hist --evidence"
		;;
	trace)
		options="$options
		--from --to --last --top"
		;;
	trend)
		options="$options
		--from --to --last --by --top --every"
		;;
	ports)
		options="$options
		--at --top"
		;;
	show)
		options="$options
		--at --top --numeric --resolve --all --listening --bound-inactive --options --extended
		--memory --processes --info --summary --tos --cgroup --inet-sockopt --oneline --net
		--ipv4 --ipv6 --packet --tcp --mptcp --sctp --udp --dccp --raw --unix --tipc --vsock
		--xdp --family --query --socket --filter --threads --context --contexts --bpf --events
		--kill --diag --tipcinfo"
		;;
	diff)
		options="$options
		--by --top --tcp --mptcp --sctp --udp --dccp --raw --unix --family --query"
		;;
	esac
	case $before in
	-f | --file | -F | --filter)
		COMPREPLY=()
		compopt -o default 2>/dev/null
		return
		;;
	--color | --evidence)
		mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$word")
		return
		;;
	esac
	[ -n "$command" ] || options="$options $commands"
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -F _socklapse socklapse
