package scenarios

// Question is what somebody wants to know before a sale, and the built-in
// scenarios that answer it.
type Question struct {
	Key   string
	En    string
	Zh    string
	Names []string
}

// Questions lists the questions in the order in which they are asked, each with
// its scenarios in alphabetical order.
func Questions() []Question {
	all := []Question{
		{Key: "works", En: "Does it work at all?", Zh: "能正常工作吗？"},
		{Key: "midnight", En: "Will it hold at midnight?", Zh: "零点扛得住吗？"},
		{Key: "model-down", En: "What if the model is down, slow or wrong?", Zh: "模型宕机、变慢或出错怎么办？"},
		{Key: "redis-down", En: "What if Redis is away?", Zh: "Redis 不可用怎么办？"},
		{Key: "release", En: "What harm does a new version do?", Zh: "新版本会造成多大影响？"},
		{Key: "customers", En: "Does it mix up customers, forget them or betray them?", Zh: "会不会串号、忘记上文或泄露信息？"},
		{Key: "people", En: "Do people see what people must answer?", Zh: "需要人工的问题能到人工手里吗？"},
		{Key: "protocols", En: "Does it hold on the wire I use?", Zh: "我用的协议也行吗？"},
		{Key: "cost", En: "What does it cost, and what does tuning bring?", Zh: "成本多少，调优有什么收益？"},
		{Key: "long", En: "Is it still as good after hours?", Zh: "跑上几个小时还一样好吗？"},
	}
	for i := range all {
		for _, name := range Names() {
			if HeaderOf(name).Question == all[i].Key {
				all[i].Names = append(all[i].Names, name)
			}
		}
	}
	return all
}
