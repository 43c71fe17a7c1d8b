# SPDX-License-Identifier: BSD-2-Clause
# Completion of skl for fish.

function __skl_ids
    skl status 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 "\t" $2 " " $6 }'
end

function __skl_ports
    skl status 2>/dev/null | awk '
        $1 ~ /^[0-9]+$/ { sub(/,$/, "", $6); n = split($6, at, ":"); print at[n] }
        $2 == "port" { print $3 }'
end

complete -c skl -f
complete -c skl -n __fish_use_subcommand -a run -d 'start a program and cover with its socket'
complete -c skl -n __fish_use_subcommand -a status -d 'show who covers what'
complete -c skl -n __fish_use_subcommand -a attach -d 'cover with the socket of a running program'
complete -c skl -n __fish_use_subcommand -a upgrade -d 'replace the program of a share'
complete -c skl -n __fish_use_subcommand -a detach -d 'end what a listener or a binding covers'
complete -c skl -n __fish_use_subcommand -a trace -d 'follow decisions about packets'
complete -c skl -n __fish_use_subcommand -a doctor -d 'find out why it does not work'
complete -c skl -n __fish_use_subcommand -a metrics -d 'print the counters for Prometheus'
complete -c skl -n __fish_use_subcommand -a version -d 'show the version'
complete -c skl -n __fish_use_subcommand -a help -d 'show the help of one command'

complete -c skl -n '__fish_seen_subcommand_from run attach' -s p -l ports -x -d 'further ports'
complete -c skl -n '__fish_seen_subcommand_from run attach' -s c -l cidrs -x -d 'further addresses'
complete -c skl -n '__fish_seen_subcommand_from run attach' -s b -l bind -x -d 'exactly this'
complete -c skl -n '__fish_seen_subcommand_from run' -l for -x -d 'the socket that is bound to this port'
complete -c skl -n '__fish_seen_subcommand_from run' -l share -x -d 'name of the share'
complete -c skl -n '__fish_seen_subcommand_from run' -l hold -x -d 'keep the listener open so long'
complete -c skl -n '__fish_seen_subcommand_from run' -l warn -d 'run it even without coverage'
complete -c skl -n '__fish_seen_subcommand_from run' -l supervise -d 'do not preload'
complete -c skl -n '__fish_seen_subcommand_from run' -l check -d 'only ask whether it would be granted'
complete -c skl -n '__fish_seen_subcommand_from run' -l print -d 'only print the variables'
complete -c skl -n '__fish_seen_subcommand_from run' -a '(__fish_complete_subcommand --fcs-skip=2)'
complete -c skl -n '__fish_seen_subcommand_from status trace doctor' -s j -l json -d 'print JSON'
complete -c skl -n '__fish_seen_subcommand_from status' -s w -l watch -d 'draw it each second'
complete -c skl -n '__fish_seen_subcommand_from status attach' -l pid -x -a '(__fish_complete_pids)'
complete -c skl -n '__fish_seen_subcommand_from status' -l port -x -a '(__skl_ports)'
complete -c skl -n '__fish_seen_subcommand_from status' -l user -x -a '(__fish_complete_users)'
complete -c skl -n '__fish_seen_subcommand_from status trace' -l netns -r -F
complete -c skl -n '__fish_seen_subcommand_from status trace' -a '(__skl_ports)'
complete -c skl -n '__fish_seen_subcommand_from attach' -l listen -x -d 'which of its sockets'
complete -c skl -n '__fish_seen_subcommand_from detach' -a '(__skl_ids)'
complete -c skl -n '__fish_seen_subcommand_from metrics' -s o -l output -r -F
complete -c skl -n '__fish_seen_subcommand_from help' -a 'run status attach upgrade detach trace doctor metrics version'
complete -c skl -n '__fish_seen_subcommand_from upgrade' -l after -x -d 'give the new one so long'
complete -c skl -n '__fish_seen_subcommand_from upgrade' -l timeout -x -d 'how long it may take'
complete -c skl -n '__fish_seen_subcommand_from upgrade' -l signal -x -d 'what the old ones get'
complete -c skl -n '__fish_seen_subcommand_from upgrade' -l keep-old -d 'leave the old ones'
complete -c skl -n '__fish_seen_subcommand_from doctor' -l policy -x -a '(__fish_complete_users)' -d 'what may this user cover'
complete -c skl -n '__fish_seen_subcommand_from doctor' -l file -r -F
complete -c skl -n '__fish_seen_subcommand_from doctor' -a '(__fish_complete_command)'
complete -c skl -l help -d 'show help'
