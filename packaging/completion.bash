# Completion of hornwork's commands and options for bash.
_hornwork() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='init check run reload status calls registrations policy bans patches trace explain leaks devices watch assess findings shield unshield parse screening version help'
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	case $before in
	--outside | --inside)
		mapfile -t COMPREPLY < <(cd /sys/class/net 2>/dev/null && compgen -f -- "$word")
		return
		;;
	--only | --target | --name | --remove | --reason | --until | --suppress | --unsuppress | --for | --note)
		return
		;;
	--fail-on)
		mapfile -t COMPREPLY < <(compgen -W 'info low medium high critical none' -- "$word")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'text json sarif html csv junit' -- "$word")
		return
		;;
	--run-dir | --feeds)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	init) words='--outside --inside --pbx --certificate --key --yes --output --help' ;;
	check) words='--json --resolve --help' ;;
	run) words='-c --config --run-dir --self-test --help' ;;
	calls) words='--all --json --run-dir --help' ;;
	policy) words='-c --json --run-dir --explain --help' ;;
	bans)
		if [ "$COMP_CWORD" -eq 2 ] && [[ $word != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W 'add lift' -- "$word")
			return
		fi
		words='--for --note --json --run-dir --help'
		;;
	assess)
		if [ "$COMP_CWORD" -eq 2 ] && [[ $word != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W 'diff checks import feeds match' -- "$word")
			return
		fi
		case ${COMP_WORDS[2]} in
		diff) words='-c --json --help' ;;
		checks) words='--json --help' ;;
		import) words='--name --remove --feeds --json --help' ;;
		feeds | match) words='--feeds --json --help' ;;
		*) words='-c --only --target --intrusive --plan --fail-on --new-only --format --output --run-dir --quiet --help' ;;
		esac
		;;
	findings) words='-c --json --suppress --unsuppress --reason --until --help' ;;
	shield | unshield) words='-c --dry-run --run-dir --help' ;;
	reload | status | registrations | patches | trace | explain | leaks | devices) words='--json --run-dir --help' ;;
	watch) words='-r -c --link --rules --json --events --help' ;;
	parse) words='--stream --sdp --help' ;;
	*) words='--json --help' ;;
	esac
	case $word in
	-*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	esac
}
complete -o filenames -F _hornwork hornwork
