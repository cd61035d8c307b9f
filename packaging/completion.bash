# Completion of hornwork's commands and options for bash.
_hornwork() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='init check run reload status calls registrations trace explain watch assess parse version help'
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	case $before in
	--outside | --inside)
		mapfile -t COMPREPLY < <(cd /sys/class/net 2>/dev/null && compgen -f -- "$word")
		return
		;;
	--run-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	init) words='--outside --inside --pbx --certificate --key --yes --output --help' ;;
	check) words='--json --resolve --help' ;;
	run) words='-c --run-dir --self-test --help' ;;
	calls) words='--all --json --run-dir --help' ;;
	reload | status | registrations | trace | explain) words='--json --run-dir --help' ;;
	watch) words='-r --json --help' ;;
	parse) words='--stream --sdp --help' ;;
	*) words='--json --help' ;;
	esac
	case $word in
	-*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	esac
}
complete -o filenames -F _hornwork hornwork
