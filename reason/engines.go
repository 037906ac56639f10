package reason

// What is said of a load that an engine runs on many machines.
const (
	EngineStarts       Code = "engine_starts"
	EngineGone         Code = "engine_gone"
	EngineSilent       Code = "engine_silent"
	EngineNotCleaned   Code = "engine_not_cleaned"
	ShardsNotReady     Code = "shards_not_ready"
	ShardsPending      Code = "shards_pending"
	ShardsDrain        Code = "shards_drain"
	ShardsNotWaitedFor Code = "shards_not_waited_for"
	ShardLostBefore    Code = "shard_lost_before"
	ShardLostSilent    Code = "shard_lost_silent"
	ShardGone          Code = "shard_gone"
	NoShardLeft        Code = "no_shard_left"
	SrunMissing        Code = "srun_missing"
	SrunHangs          Code = "srun_hangs"
	StormsUnknown      Code = "storms_unknown"
	PackTooLarge       Code = "pack_too_large"
	KubectlFailed      Code = "kubectl_failed"
	PodsPending        Code = "pods_pending"
	MatrixArmsNothing  Code = "matrix_arms_nothing"
	MatrixTooLarge     Code = "matrix_too_large"
	ImageMissing       Code = "image_missing"
	SecretByHand       Code = "secret_by_hand"
	FlagsNotRendered   Code = "flags_not_rendered"
	NothingToCollect   Code = "nothing_to_collect"
	PackOutside        Code = "pack_outside"
	PackUnreadable     Code = "pack_unreadable"
	SpreadNumber       Code = "spread_number"
	SpreadBundled      Code = "spread_bundled"
	SpreadListen       Code = "spread_listen"
	SpreadTooMany      Code = "spread_too_many"
	SpreadNeeds        Code = "spread_needs"
	SpreadRateUnknown  Code = "spread_rate_unknown"
	SpreadManyPorts    Code = "spread_many_ports"
)

func engineRows() []row {
	return []row{
		{EngineStarts, "all {shards:count} shards are ready: the load begins in {lead:duration}", "{shards} 个分片全部就绪：{lead} 后开始压测"},
		{EngineGone, "the engine runs no shard any more, before the load began: {how:text}", "压测尚未开始，引擎已不再运行任何分片：{how}"},
		{EngineSilent, "the engine does not say why", "引擎没有说明原因"},
		{EngineNotCleaned, "something is left on the engine, remove it by hand: {why:text}", "引擎上仍有残留，请手动清除：{why}"},
		{ShardsNotReady, "{ready:count} of {shards:count} shards were ready after {after:duration} (--start-timeout), and nothing was sent: {why:reasons}", "{after}（--start-timeout）后 {shards} 个分片中只有 {ready} 个就绪，未发送任何负载：{why}"},
		{ShardsPending, "{ready:count} of {shards:count} shards are ready: {why:reasons}", "{shards} 个分片中 {ready} 个就绪：{why}"},
		{ShardsDrain, "stopping: no conversation begins any more, those begun may end", "正在停止：不再有会话到达，已开始的会话可以结束"},
		{ShardsNotWaitedFor, "{shards:count} shards had not ended {grace:duration} after the plan and its drain: what they wrote until then is added up", "计划与收尾结束 {grace} 后仍有 {shards} 个分片未结束：只合并其此前写出的内容"},
		{ShardLostBefore, "shard {shard:text} ended before the load began, and nothing was sent: {how:text}; its last words: {said:text}", "压测尚未开始分片 {shard} 就已结束，未发送任何负载：{how}；它最后说：{said}"},
		{ShardLostSilent, "shard {shard:text} ended before the load began, and nothing was sent: {how:text}; it said nothing", "压测尚未开始分片 {shard} 就已结束，未发送任何负载：{how}；它什么也没说"},
		{ShardGone, "of the end of shard {shard:text} the engine says: {how:text}", "关于分片 {shard} 的结束，引擎说：{how}"},
		{NoShardLeft, "no shard left a journal that can be read: see {dir:text}", "没有分片留下可读的运行记录：请看 {dir}"},
		{SrunMissing, "{why:text}: is Slurm's client installed here?", "{why}：这里安装了 Slurm 客户端吗？"},
		{SrunHangs, "srun does not end: see squeue", "srun 没有结束：请看 squeue"},
		{StormsUnknown, "storms and calls of the mock LLM are not known: shards do not ask it, and nobody who armed it for all of them told", "模拟 LLM 的风暴与调用情况未知：分片不会向它询问，也没有替全部分片布置故障的一方告知"},
		{PackTooLarge, "scenario and data come to {bytes:count} bytes, and a ConfigMap or Secret holds {most:count}: take a smaller table, or put the data where pods read it", "场景与数据共 {bytes} 字节，而 ConfigMap 或 Secret 至多容纳 {most}：请用更小的数据表，或把数据放到各 pod 可读之处"},
		{KubectlFailed, "kubectl {what:text}: {why:text}: {said:text}", "kubectl {what} 失败：{why}：{said}"},
		{PodsPending, "{pods:count} pods: {why:text}", "{pods} 个 pod：{why}"},
		{MatrixArmsNothing, "jobs of a matrix do not know of each other, and nobody would arm the mock LLM of llm.admin {address:text} for all: run cstest k8s run or cstest slurm run, or leave llm out", "矩阵中的各作业互不知晓，没有谁能替全部分片为 llm.admin {address} 的模拟 LLM 布置故障：请用 cstest k8s run 或 cstest slurm run，或去掉 llm"},
		{MatrixTooLarge, "--shards {shards:count}: a matrix has at most {most:count} jobs", "--shards {shards}：矩阵至多 {most} 个作业"},
		{ImageMissing, "give --image: the image that holds cstest (make image writes one)", "请给出 --image：含有 cstest 的镜像（make image 可以生成）"},
		{SecretByHand, "the scenario takes secrets from outside, which are not written here; create them once: {command:text}", "场景的密钥来自外部，此处不写出；请先创建一次：{command}"},
		{FlagsNotRendered, "--env holds what may be secret and is not written into a file: let the scenario name a variable, and set it there", "--env 的内容可能是密钥，不会写入文件：请在场景中引用变量，并在运行环境中设置它"},
		{NothingToCollect, "job {run:text}: it has no plan and no shards of cstest: was it rendered by cstest render k8s?", "作业 {run}：其中没有 cstest 的计划与分片：它是由 cstest render k8s 生成的吗？"},
		{PackOutside, "{path:text} does not lie below the scenario's folder: shards elsewhere get what lies there, move it", "{path} 不在场景所在的文件夹之内：其他机器上的分片只会得到该文件夹中的文件，请移入"},
		{PackUnreadable, "{path:text}, which the scenario reads: {why:text}", "场景要读取的 {path}：{why}"},
		{SpreadNumber, "--shards {shards:count}: want 2 to {most:count}; one is cstest run", "--shards {shards}：应为 2 到 {most}；只有一个时请用 cstest run"},
		{SpreadBundled, "the bundled server is one for each shard: spread over machines each would test another; give --target URL", "内置服务端由各分片各自启动：分布到多台机器时测的就不是同一个；请给出 --target URL"},
		{SpreadListen, "llm.listen {address:text} would be a mock LLM on each shard's machine, and the target calls one: run cstest serve mockllm where the target reaches it, and name its llm.admin", "llm.listen {address} 会在每个分片的机器上各启动一个模拟 LLM，而被测系统只调用一个：请在被测系统够得到的地方运行 cstest serve mockllm，并写明 llm.admin"},
		{SpreadTooMany, "--shards {shards:count}: the load has {most:count} conversations at most, and a shard without one proves nothing: take fewer", "--shards {shards}：该负载至多 {most} 个会话，没有会话的分片什么也证明不了：请减少分片"},
		{SpreadNeeds, "each of {shards:count} shards: {rate:rate} turns at the peak, {cores:count} cores, {connections:count} connections, {ports:count} ports of an address, {descriptors:count} descriptors (ulimit -n)", "{shards} 个分片各需：峰值 {rate} 轮次，{cores} 个核，{connections} 个连接，一个地址的 {ports} 个端口，{descriptors} 个描述符（ulimit -n）"},
		{SpreadRateUnknown, "each of {shards:count} shards: a closed load's rate depends on the target; {cores:count} cores serve up to {rate:rate} turns; {connections:count} connections, {ports:count} ports of an address, {descriptors:count} descriptors (ulimit -n)", "{shards} 个分片各需：闭环负载的速率取决于被测系统；{cores} 个核可承担至多 {rate} 轮次；{connections} 个连接，一个地址的 {ports} 个端口，{descriptors} 个描述符（ulimit -n）"},
		{SpreadManyPorts, "{ports:count} connections from one address are slow to open: take more shards, or connections: shared", "同一地址上 {ports} 个连接打开会很慢：请增加分片，或用 connections: shared"},
	}
}
