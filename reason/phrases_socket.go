package reason

// socketPhrases are of customers' sockets.
func socketPhrases() []phraseRow {
	return []phraseRow{
		{"mode: %s needs http: \"1.1\"", "mode: %s 需要 http: \"1.1\""},
		{"event, ack and is_answer are of messages over a socket, which have no path", "event、ack 与 is_answer 属于套接字上的消息，消息没有 path"},
		{"a socket is somebody's own: write per-user, per-conversation or per-turn", "套接字归一人所有：请写 per-user、per-conversation 或 per-turn"},
		{"belongs to the upgrade: subprotocols has a field of its own, and extensions are not spoken", "属于升级请求：子协议另有字段 subprotocols，扩展则不支持"},
		{"%q is not the name of a subprotocol", "%q 不是子协议的名称"},
		{"a turn is a message, which has no path and no headers: those of the upgrade are socket.path and socket.headers", "轮次是一条消息，没有 path 与 headers：升级请求的写在 socket.path 与 socket.headers 中"},
		{"event and ack are for mode: websocket", "event 与 ack 用于 mode: websocket"},
		{"is for mode: websocket", "用于 mode: websocket"},
		{"is empty: say by what a ping is known, for example {path: type, equals: ping}", "为空：请写明凭什么认出 ping，例如 {path: type, equals: ping}"},
		{"is below after", "小于 after"},
		{"with connections: per-turn there is no socket between two turns", "connections: per-turn 时两轮之间没有套接字"},
		{"${ping.%s} is not saved by target.socket.pong.save%s", "${ping.%s} 没有由 target.socket.pong.save 保存%s"},
		{"is for mode: websocket and stream; where an answer is polled for it stands in poll", "用于 mode: websocket 与 stream；轮询应答时写在 poll 中"},
		{"%q is not a namespace: write for example /chat", "%q 不是命名空间：例如写 /chat"},
		{"socket.io needs EIO=4&transport=websocket in the query", "socket.io 的查询串须有 EIO=4&transport=websocket"},
		{"is not a mapping: write for example {token: \"${login.token}\"}", "不是映射：例如写 {token: \"${login.token}\"}"},
		{"is for protocol: socket.io", "用于 protocol: socket.io"},
		{"event and ack are for socket.protocol: socket.io; other messages have neither", "event 与 ack 用于 socket.protocol: socket.io；其他消息没有这两项"},
		{"is not a name of 1 to %d bytes", "不是 1 到 %d 字节的名称"},
		{"%q is an event of socket.io's own, which its servers refuse", "%q 是 socket.io 自己的事件，其服务端会拒绝"},
		{"a message is json, text or xml", "消息为 json、text 或 xml"},
		{"the argument of an event is json or text", "事件的参数为 json 或 text"},
		{"is a message over the socket, which has no path, method or headers: steps over HTTP stand in login and before", "是套接字上的消息，没有 path、method 与 headers：HTTP 步骤写在 login 与 before 中"},
		{"sends nothing: write body, or with socket.io event", "什么也没有发送：请写 body，socket.io 也可写 event"},
		{"engine.io's servers ping themselves, and are answered; write event where the application has pings of its own", "engine.io 的服务端自行发出心跳，并会得到回应；应用自有心跳时请写 event"},
		{"${%s} is of one conversation, and the socket is the user's: write connections: per-conversation", "${%s} 属于一个会话，而套接字属于用户：请写 connections: per-conversation"},
		{"a message is no script: jsonp goes with HTTP", "消息不是脚本：jsonp 用于 HTTP"},
		{"%q: a message has no headers, cookies or status; those of the upgrade are not looked into", "%q：消息没有头部、cookie 与状态码；升级响应中的不作查找"},
		{"is for mode: async; over a socket the answer is sent when it is there: is_answer", "用于 mode: async；套接字上的应答一有便会发来：is_answer"},
		{"no turn_id: messages do not say which turn they answer, so a turn without a whole answer costs its socket, and a second answer is taken for that of the next turn", "没有 turn_id：消息不说明应答的是哪一轮，因此没有完整应答的轮次会失去其套接字，重复的应答会被当作下一轮的"},
		{"names the turn by ${turn.id}, which stands nowhere in target.request.body", "以 ${turn.id} 指明轮次，而 target.request.body 中没有它"},
		{"is missing: write the path of the request", "缺失：请写请求的路径"},
	}
}
