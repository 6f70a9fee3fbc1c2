# Completion of socklapse-record for bash: options, directories, files.
_socklapse_record() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
	-d | --dir | -o | --output)
		COMPREPLY=()
		compopt -o default 2>/dev/null
		;;
	--cmdline)
		mapfile -t COMPREPLY < <(compgen -W 'none exe full' -- "$word")
		;;
	--netns)
		mapfile -t COMPREPLY < <(compgen -W 'all self' -- "$word")
		;;
	-A | --query)
		mapfile -t COMPREPLY < <(compgen -W 'all inet tcp udp udplite raw mptcp sctp dccp
			unix packet netlink vsock xdp' -- "$word")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W '--dir --output --interval --count --query --netns --cmdline --deadline --marks
			--watch-name --keep --keep-size --note --stats --quiet --verbose --help --version' -- "$word")
		;;
	esac
}
complete -F _socklapse_record socklapse-record
