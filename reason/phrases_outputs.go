package reason

func observePhrases() []phraseRow {
	return []phraseRow{
		{"has more than %d figures", "超过 %d 项"},
		{"has more than %d receivers", "接收方超过 %d 个"},
		{"write promql, for a Prometheus, or metric, for what is scraped", "请写 promql（查询 Prometheus）或 metric（直接抓取）之一"},
		{"%q is no name of a metric", "%q 不是指标名"},
		{"says labels and rate itself: they are for metric", "promql 自己写明标签与速率：labels 与 rate 只用于 metric"},
		{"must be a URL such as http://127.0.0.1:9090", "须为 URL，例如 http://127.0.0.1:9090"},
		{"has a user or a password in it, which would be written to the results: use headers with ${env:NAME}", "其中带有用户名或密码，会写入结果：请用 headers 并写 ${env:NAME}"},
		{"there is no %q in observe%s", "observe 中没有 %q%s"},
		{"write above or below", "请写 above 或 below 之一"},
		{"whoever has it can write there: use ${env:NAME} or ${file:PATH}", "拿到它的人都能往那里发消息：请用 ${env:NAME} 或 ${file:PATH}"},
		{"would be written to the results: use ${env:NAME} or ${file:PATH}", "会写入结果：请用 ${env:NAME} 或 ${file:PATH}"},
		{"says no limit: give min or max", "没有写限值：请给出 min 或 max"},
		{"is above max: nothing is within them", "高于 max：没有值能落在其间"},
	}
}

func outputPhrases() []phraseRow {
	return []phraseRow{
		{"warning: notify %s: %s; the verdict stands", "警告：通知 %s：%s；结论不变"},
		{"answered %s", "已应答 %s"},
		{"%s turns, %s of full quality", "%s 轮，完整质量 %s"},
		{"--out %q: want NAME=VALUE with a name of %s; where the results go is --results-dir", "--out %q：请写 NAME=VALUE，其中 NAME 为 %s 之一；结果写到哪里由 --results-dir 指定"},
		{"--out %s is given twice", "--out %s 给了两次"},
		{"--out %s: what comes from other machines has seconds, not single turns", "--out %s：其他机器送来的是逐秒的数据，没有单个轮次"},
		{"--out %s: %w", "--out %s：%w"},
		{"want a URL such as http://collector:4318", "请写 URL，例如 http://collector:4318"},
		{"want the address without %s and %s: both are added", "请写不带 %s 与 %s 的地址：二者会自动补上"},
		{"OTEL_EXPORTER_OTLP_HEADERS: want NAME=VALUE,NAME=VALUE with values as in a URL", "OTEL_EXPORTER_OTLP_HEADERS：请写 NAME=VALUE,NAME=VALUE，值按 URL 编码"},
		{"want a URL such as http://prometheus:9090/api/v1/write", "请写 URL，例如 http://prometheus:9090/api/v1/write"},
		{"the file takes no more turns", "文件已满，不再接收轮次"},
		{"it takes nothing, and does not say why", "它什么也不接收，也不说明原因"},
		{"the collector takes %d of %d spans not: %.200q", "Collector 拒收 %d 个 span（共 %d 个）：%.200q"},
		{"the collector takes %d points of metrics not: %.200q", "Collector 拒收 %d 个指标点：%.200q"},
		{"%s answers %d %s: %.200q", "%s 应答 %d %s：%.200q"},
		{"%s answers %d, and what cannot be read: is it a collector?", "%s 应答 %d，内容无法读取：它是 Collector 吗？"},
		{"metrics of the run: http://%s/metrics", "本次运行的指标：http://%s/metrics"},
	}
}
