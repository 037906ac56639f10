#!/usr/bin/env bash
# LAB=folder CSTEST=static-binary lab.sh [CASE...]: a Kubernetes of one node on this
# machine, and cstest's runs on it (faults.sh). The first time it builds Kubernetes,
# ten minutes of two cores. Root, cgroup v1, Debian. It leaves nothing running.
set -eu
cd "$(dirname "$0")"
: "${LAB:=/tmp/cstest-lab}" "${CSTEST:?}"
export LAB CSTEST
mkdir -p $LAB/bin $LAB/debs $LAB/img
cp -f env.sh $LAB/env.sh
[ "$(id -u)" = 0 ] && [ -d /sys/fs/cgroup/memory ] || { echo "the lab needs root and cgroup v1" >&2; exit 1; }
if [ ! -x $LAB/bin/hyperkube ]; then
	P=k8s.io/component-base/version
	go build -o $LAB/bin/hyperkube -ldflags "-s -w -X $P.gitVersion=v1.34.4 -X $P.gitMajor=1 -X $P.gitMinor=34 -X $P.gitTreeState=clean" .
fi
if [ ! -x $LAB/debs/usr/bin/etcd ] || [ ! -x $LAB/debs/usr/bin/containerd ]; then
	(cd $LAB && apt-get download etcd-server containerd runc containernetworking-plugins >/dev/null && for d in *.deb; do dpkg -x $d debs; done)
fi
if [ ! -f $LAB/img/pause.tar ]; then
	mkdir -p $LAB/pause && cat >$LAB/pause/main.go <<'X'
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	<-c
}
X
	CGO_ENABLED=0 go build -ldflags='-s -w' -o $LAB/pause/pause $LAB/pause/main.go
	python3 mkimage.py docker.io/local/pause:1 $LAB/img/pause.tar /pause $LAB/pause/pause=/pause
fi
python3 mkimage.py docker.io/local/cstest:1 $LAB/img/cstest-sh.tar /cstest $CSTEST=/cstest
bash down.sh
trap 'bash down.sh' EXIT
bash cp-up.sh
bash node-up.sh
bash faults.sh ${*:-pass deleted before early evicted memory many collect interrupt broken node}
