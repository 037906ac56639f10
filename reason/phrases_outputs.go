package reason

func outputPhrases() []phraseRow {
	return []phraseRow{
		{"--out %q: want NAME=VALUE with a name of %s; where the results go is --results-dir", "--out %q：请写 NAME=VALUE，其中 NAME 为 %s 之一；结果写到哪里由 --results-dir 指定"},
		{"--out %s is given twice", "--out %s 给了两次"},
		{"--out %s: %w", "--out %s：%w"},
		{"--out turns: turns of other processes are not told one by one: leave out --processes", "--out turns：其他进程的轮次不会逐一送出：请去掉 --processes"},
		{"metrics of the run: http://%s/metrics", "本次运行的指标：http://%s/metrics"},
	}
}
