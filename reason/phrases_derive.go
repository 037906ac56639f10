package reason

// derivePhrases are of making a scenario from recorded requests.
func derivePhrases() []phraseRow {
	return []phraseRow{
		{"no request has a text that a customer may have said: record one in which you say something", "没有一个请求含有顾客可能说的话：请录制一次实际发言的请求"},
		{"something follows the JSON", "JSON 之后还有内容"},
		{"the JSON is too deep or too large", "JSON 嵌套过深或过大"},
		{"the command is too long", "命令过长"},
		{`that is no curl command: it begins with curl; in a browser's network tab choose "Copy as cURL (bash)"`, "这不是 curl 命令：应以 curl 开头；请在浏览器的网络面板中选择“以 cURL (bash) 格式复制”"},
		{"curl command: --%s has no value", "curl 命令：--%s 没有值"},
		{"curl command: -%c has no value", "curl 命令：-%c 没有值"},
		{"curl command: it has no address", "curl 命令：没有地址"},
		{"curl command: -I asks for headers only: that is no chat", "curl 命令：-I 只请求头部，不是对话"},
		{"curl command: %w", "curl 命令：%w"},
		{"%.200q is no http or https address", "%.200q 不是 http 或 https 地址"},
		{"send the request: %w", "发送请求：%w"},
		{"read the answer: %w", "读取应答：%w"},
		{"a ' is not closed", "有一个 ' 没有闭合"},
		{"it ends in a backslash", "以反斜杠结尾"},
		{`a " is not closed`, `有一个 " 没有闭合`},
		{"a $' is not closed", "有一个 $' 没有闭合"},
		{"the file is too long", "文件过长"},
		{"that is no HAR file (JSON with log.entries): %w", "这不是 HAR 文件（含 log.entries 的 JSON）：%w"},
		{"the HAR file has no request over http or https", "HAR 文件中没有 http 或 https 请求"},
		{"--from %s: write curl or har", "--from %s：请写 curl 或 har"},
		{"--send goes with --from curl: a HAR file has its answers", "--send 只与 --from curl 合用：HAR 文件中已有应答"},
	}
}
