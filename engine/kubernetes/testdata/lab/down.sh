#!/usr/bin/env bash
# End what cp-up.sh, node-up.sh and faults.sh started, by its number, and forget it.
. ${LAB:?}/env.sh
for f in $R/*.pid; do [ -f $f ] && kill $(cat $f) 2>/dev/null; done
for i in $(seq 30); do
	left=
	for f in $R/*.pid; do [ -f $f ] && kill -0 $(cat $f) 2>/dev/null && left=1; done
	[ -z "$left" ] && break
	sleep 0.2
done
for f in $R/*.pid; do [ -f $f ] && kill -9 $(cat $f) 2>/dev/null; done
# Pods of a node that was lost: their shims have this lab's containerd on their command line.
for p in $(ps -eo pid=,args= | awk -v at="$R/containerd.sock" '/containerd-shim-runc-v2/ && index($0, at) {print $1}'); do kill $p 2>/dev/null; done
awk -v at="$R/" 'index($2, at) == 1 {print $2}' /proc/mounts | sort -r | xargs -r umount -l
ip netns del hdist 2>/dev/null
rm -rf $R
exit 0
