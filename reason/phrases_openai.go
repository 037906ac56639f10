package reason

// openAIPhrases are of api openai, its tools and parts, and of prices.
func openAIPhrases() []phraseRow {
	return []phraseRow{
		{"server is for form: responses: with chat completions the client keeps the dialog", "server 用于 form: responses：chat completions 的对话由客户端保存"},
		{"has more than %d tools", "工具超过 %d 个"},
		{"%q is not the name of a function: 1 to 64 letters, digits, _ and -", "%q 不是函数名：1 到 64 个字母、数字、_ 与 -"},
		{"must be a JSON Schema: a mapping such as {type: object, properties: {order_no: {type: string}}}", "须为 JSON Schema：形如 {type: object, properties: {order_no: {type: string}}} 的映射"},
		{"is missing: say what %s answers when the model calls it", "缺少：请写明 %s 被 LLM 调用时给出的应答"},
		{"must be a mapping: of api openai it is what the request has besides, such as {temperature: 0.2}", "须为映射：对 api openai，这里写请求另有的成员，例如 {temperature: 0.2}"},
		{"is what cstest itself writes: remove it, or describe the API with api: custom", "由 cstest 自己写：请删去，或用 api: custom 描述这个 API"},
		{"is target.openai.system already: remove one of the two", "与 target.openai.system 重复：请删去其一"},
		{"is target.openai.tools already: remove one of the two", "与 target.openai.tools 重复：请删去其一"},
		{"nothing tells the tokens of an answer: say in target.response.usage where they stand", "没有什么说明应答的 token 数：请在 target.response.usage 中写明它们在哪里"},
		{"are of a million tokens: above 1000000 cannot be meant", "按一百万个 token 计价：超过 1000000 不会是本意"},
		{"must be a word of 8 characters at most, such as USD", "须为至多 8 个字符的词，例如 USD"},
		{"is for api: openai, whose messages have parts", "用于 api: openai，其消息可分为多个部分"},
		{"has more than %d parts", "部分超过 %d 个"},
		{"must have exactly one of text and image", "text 与 image 须恰好写一个"},
		{"is of an image", "属于图片"},
		{"%q is not an image that models read: png, jpg, gif or webp, or an address that begins with https:// or data:", "%q 不是模型能读的图片：png、jpg、gif 或 webp，或以 https:// 或 data: 开头的地址"},
		{"its answers tell no tokens", "它的应答不说明 token 数"},
	}
}
