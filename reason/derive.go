package reason

// What a person should know of a scenario that was made from recorded requests.
const (
	DeriveOptionLeftOut Code = "derive_option_left_out"
	DeriveWordLeftOut   Code = "derive_word_left_out"
	DeriveFieldLeftOut  Code = "derive_field_left_out"
	DeriveBodyInFile    Code = "derive_body_in_file"
	DeriveDialogChosen  Code = "derive_dialog_chosen"
	DeriveClock         Code = "derive_clock"
	DeriveSecret        Code = "derive_secret"
	DeriveLogin         Code = "derive_login"
	DeriveSent          Code = "derive_sent"
	DeriveAnswerUnknown Code = "derive_answer_unknown"

	// Of an API's description, or a collection of requests.
	DeriveOperation       Code = "derive_operation"
	DeriveOperationAnswer Code = "derive_operation_answer"
	DeriveOperations      Code = "derive_operations"
	DeriveNoAddress       Code = "derive_no_address"
	DeriveScheme          Code = "derive_scheme"
	DeriveStreamUntold    Code = "derive_stream_untold"
	DeriveVariable        Code = "derive_variable"
	DeriveScript          Code = "derive_script"
)

func deriveRows() []row {
	return []row{
		{DeriveOptionLeftOut, "{option:text} is left out: see {field:text}", "已略去 {option}：参见 {field}"},
		{DeriveWordLeftOut, "{word:quoted} is left out: one address is taken", "已略去 {word}：只取一个地址"},
		{DeriveFieldLeftOut, "field {field:text} is left out: api: openai writes the body itself", "已略去字段 {field}：api: openai 自行生成请求体"},
		{DeriveBodyInFile, "the body is in file {file:text}, which was not read: put it into target.request.body", "请求体在文件 {file} 中，未读取：请写入 target.request.body"},
		{DeriveDialogChosen, "{field:text} is taken for an id that the client chooses; where the server hands it out, put the variable dialog.id there and say in target.response.dialog_id where it stands", "{field} 被当作由客户端选定的编号；若由服务端给出，请改用变量 dialog.id，并在 target.response.dialog_id 写明其位置"},
		{DeriveClock, "{field:text} looks like a time and stays as it was recorded", "{field} 像是时间，保持录制时的值"},
		{DeriveSecret, "set {name:text} in the environment to the value of {field:text}: it was not written into the file", "请在环境变量 {name} 中设置 {field} 的值：文件中没有写入"},
		{DeriveSent, "sent once to see the answers: {requests:text}", "为查看应答已各发送一次：{requests}"},
		{DeriveLogin, "{paths:text} is taken for the login, for the turns send what it answers; all users log in with the one account", "{paths} 被当作登录，因为各轮会发送其应答中的内容；所有用户使用同一账号登录"},
		{DeriveAnswerUnknown, "where the answer stands in a response is not known: cstest try shows a response, then set target.response; --send asks the server once and looks", "不知道应答在响应中的位置：cstest try 会显示一次响应，再设置 target.response；--send 会向服务端发送一次并查看"},
		{DeriveOperation, "guessed: {operation:text} is the turn, its field {field:text} is what the customer says", "猜测：{operation} 即一轮对话，其字段 {field} 即顾客所说"},
		{DeriveOperationAnswer, "guessed: {operation:text} is the turn, its field {field:text} is what the customer says, and {answer:text} in the answer is the reply", "猜测：{operation} 即一轮对话，其字段 {field} 即顾客所说，应答中的 {answer} 即回复"},
		{DeriveOperations, "these take a text as well and were not taken: {operations:text}", "以下操作也接收文本，未采用：{operations}"},
		{DeriveNoAddress, "no address of a server is told: {url:text} stands in target.url, write yours there", "没有写明服务器地址：target.url 中暂写 {url}，请改成实际地址"},
		{DeriveScheme, "guessed: security scheme {name:text} is a bearer token", "猜测：安全方案 {name} 是 bearer token"},
		{DeriveStreamUntold, "the answer is a stream, of whose events the document tells nothing: set target.mode: stream and response.stream, and see cstest try", "应答是流，文档没有说明其事件：请设置 target.mode: stream 与 response.stream，并用 cstest try 查看"},
		{DeriveVariable, "set {name:text} in the environment to the value of the variable {variable:text}, which the collection does not have", "请在环境变量 {name} 中设置变量 {variable} 的值：集合中没有它的值"},
		{DeriveScript, "scripts of the collection are not run: what they set has to be saved by login or before", "集合中的脚本不会运行：它们设置的值须由 login 或 before 保存"},
	}
}
