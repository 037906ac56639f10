#!/usr/bin/env bash
# LAB=folder CSTEST=static-binary faults.sh CASE...: runs of two shards on the lab's
# cluster of one node, with what is done to them and what cstest says of it.
# Before the first: cp-up.sh, node-up.sh. Cases: pass deleted before early evicted memory
# many collect interrupt broken node (node takes the cluster with it).
set -u; . ${LAB:?}/env.sh
D=$(cd "$(dirname "$0")" && pwd); C=${CSTEST:?}
mkdir -p $LAB/pathbin $LAB/faults
printf '#!/bin/sh\nexport KUBECONFIG=%s\nexec nsenter --net=/run/netns/hdist %s kubectl "$@"\n' $R/admin.conf $H >$LAB/pathbin/kubectl; chmod +x $LAB/pathbin/kubectl
[ -f $LAB/jwt.secret ] || head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >$LAB/jwt.secret
{ echo name; for i in $(seq 99); do echo u$i; done; } >$LAB/users.csv
cat >$LAB/sale.yaml <<'Y'
version: 1
name: k8s-sale
seed: 7
target:
  url: http://10.99.0.1:8000
  auth: {jwt: {secret: "${env:CSTEST_JWT_SECRET}", iss: cstest, aud: chat, kid: k1}}
  timeout: 3s
load:
  arrivals: constant
  think: 200ms
  stages:
    - {name: warmup, for: 2s, starts: 40/s, judged: false}
    - {name: steady, for: 12s, starts: 40/s}
  drain: 5s
data:
  users: {csv: users.csv, pick: sequential}
conversations:
  - name: coupon
    turns: [{say: "你好，${users.name}，优惠券怎么用？"}, {say: 能和红包叠加吗？}, {say: 什么时候过期？}]
sla:
  latency: {p95: 1s}
  availability: 90%
Y
$IN curl -s -o /dev/null http://10.99.0.1:8000/ || {
	bg mock $C serve mockllm --listen 10.99.0.1:9000
	bg target $C serve reference-server --listen 10.99.0.1:8000 --llm http://10.99.0.1:9000 --jwt-secret-file $LAB/jwt.secret
	for i in $(seq 100); do $IN curl -s -o /dev/null http://10.99.0.1:8000/ && break; sleep 0.1; done
}
export CSTEST_JWT_SECRET=$(cat $LAB/jwt.secret) PATH=$LAB/pathbin:$PATH
job() { kubectl get job -o name | tail -1 | sed 's|.*/||'; }
pod() { kubectl get pods -l batch.kubernetes.io/job-completion-index=$1 -o name --field-selector=status.phase!=Succeeded | tail -1; }
says() { until grep -q "$1" $O.err; do kill -0 $P 2>/dev/null || return; sleep 0.05; done; }
squeeze() { # the memory of a pod's container, until the kernel ends it
	local id cg
	id=$(kubectl get $1 -o 'jsonpath={.status.containerStatuses[0].containerID}' | sed 's|.*//||')
	cg=$(find /sys/fs/cgroup/memory -type d -name "*$id*" | head -1)
	for i in $(seq 100); do [ -d "$cg" ] || break; u=$(cat $cg/memory.usage_in_bytes); echo $((u * 85 / 100)) >$cg/memory.limit_in_bytes 2>/dev/null || echo $((u * 97 / 100)) >$cg/memory.limit_in_bytes 2>/dev/null; sleep 0.05; done
}
for case in "$@"; do
	O=$LAB/faults/$case; rm -rf $O $O.*; shards=2 more=()
	case $case in many) shards=8 more=(--start-timeout 15s) ;; esac
	begun=$(date +%s.%N)
	if [ $case = collect ]; then
		$C render k8s $LAB/sale.yaml --shards 2 --image docker.io/local/cstest:1 >$O.yaml 2>$O.note
		sed -n 's/.*\(kubectl create secret.*\)/\1/p' $O.note >$O.secret; (cd $LAB && sh $O.secret) >/dev/null
		kubectl apply -f $O.yaml >/dev/null
		$C collect $(job) --no-tui --no-color --results-dir $O >$O.out 2>$O.err & P=$!
	else
		$C k8s run $LAB/sale.yaml --shards $shards --image docker.io/local/cstest:1 --no-tui --no-color --results-dir $O ${more[@]+"${more[@]}"} >$O.out 2>$O.err & P=$!
	fi
	case $case in
	deleted) says ' steady '; kubectl delete $(pod 1) --wait=false >/dev/null ;;
	early) until [ "$(kubectl get pods -o name | wc -l)" -ge 2 ] || ! kill -0 $P; do sleep 0.05; done; kubectl delete $(pod 1) --grace-period=0 --force >/dev/null 2>&1 ;;
	before) says 'the load begins in'; kubectl delete $(pod 1) --wait=false >/dev/null ;;
	evicted) says ' steady '; p=$(pod 1); printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"%s","namespace":"default"}}' ${p#pod/} | kubectl create --raw /api/v1/namespaces/default/pods/${p#pod/}/eviction -f - >/dev/null ;;
	memory) says ' steady '; squeeze $(pod 1) ;;
	broken) says ' steady '; sleep 4; for p in $(pgrep -P $P); do kill $p; done ;; # the readings of the logs
	interrupt) says ' steady '; kill -INT $P ;;
	node) says ' steady '; kill -9 $(cat $R/kubelet.pid); for t in $(ctr -a $R/containerd.sock -n k8s.io task ls -q); do ctr -a $R/containerd.sock -n k8s.io task kill -a -s KILL $t; done >/dev/null 2>&1; kill -9 $(cat $R/containerd.pid) ;;
	esac
	wait $P; rc=$?
	printf '%s: exit %d after %.1f s: %s\n' $case $rc $(echo "$(date +%s.%N)-$begun" | bc) "$(jq -r '.verdict + ", " + (.reasons | join("; "))' $O/result.json 2>/dev/null || tail -1 $O.err)"
	kubectl delete job,configmap,secret -l app.kubernetes.io/name=cstest --wait=false >/dev/null 2>&1; kubectl delete secret --all --wait=false >/dev/null 2>&1
	for i in $(seq 100); do [ $case = node ] || [ -z "$(kubectl get pods -o name)" ] && break; sleep 0.2; done
done
