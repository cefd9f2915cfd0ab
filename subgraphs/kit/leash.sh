#!/bin/sh
# Runs a command so that it cannot outlive the process that started it, not even when that one dies by SIGKILL.
#
#   leash.sh MARK GRACE COMMAND [ARG…]      started as a session leader, with a pipe from the parent as stdin
#
# When the pipe closes (the parent is gone) or carries a line with a number of seconds (the parent wants an end), the whole
# tree gets SIGTERM and, when the grace period is over, SIGKILL. When the command ends by itself, what it left running is ended
# in the same way. Status: the command's own; 128 + N when signal N ended it.
mark=HASHIRA_LEASH=$1
grace=$2
shift 2
# Not in this shell's own environment as /proc shows it, only in that of the processes it starts.
export "$mark"
# The shell's own remarks ("Terminated") are nobody's output.
exec 3<&0 </dev/null 4>&2 2>/dev/null
# A signal to the whole group must not end the leash before what it holds. A handler, not "ignore": the command
# would inherit an ignored signal.
trap : TERM INT HUP PIPE

# Sets `members`: the processes of this session other than the leash and its watcher, and those that left the session (as a
# daemon does) but carry the mark. Without /proc (macOS) the process group has to do.
find_members() {
  members=
  for stat in /proc/[0-9]*/stat; do
    read -r line <"$stat" || continue
    pid=${line%% *}
    # After the command's name in parentheses: state, parent, group, session.
    set -- ${line##*) }
    [ "$4" = "$$" ] && [ "$1" != Z ] && [ "$pid" != "$$" ] && [ "$pid" != "$watcher" ] && members="$members $pid"
  done
  for environ in $(HASHIRA_LEASH='' grep -laF "$mark" /proc/[0-9]*/environ); do
    pid=${environ#/proc/}
    members="$members ${pid%/environ}"
  done
}

# signal_members SIGNAL: fails when there was nobody to signal.
signal_members() {
  if [ -r /proc/self/stat ]; then
    find_members
    [ -n "$members" ] || return 1
    kill -s "$1" $members || : # some may be gone by now
  else
    kill -s "$1" 0
  fi
}

watch() {
  # The watcher's own process id: $$ would be the leash's.
  if [ -r /proc/self/stat ]; then read -r watcher _ </proc/self/stat; fi
  # Without the mark, which would make the watcher's helpers members.
  unset HASHIRA_LEASH
  read -r seconds <&3 && grace=$seconds
  signal_members TERM
  sleep "$grace"
  # Again and again: a process may start another between being found and being killed.
  while signal_members KILL; do sleep 0.1; done
}

watch >/dev/null 4>&- &
watcher=$!

"$@" 2>&4 3<&- 4>&-
status=$?

kill -KILL "$watcher"
if [ -r /proc/self/stat ] && signal_members TERM; then
  tries=0
  while find_members; [ -n "$members" ]; do
    [ "$tries" -ge 20 ] && kill -KILL $members
    tries=$((tries + 1))
    sleep 0.1
  done
fi
exit "$status"
