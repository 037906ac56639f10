package derive

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

const shopAPI = `
openapi: 3.1.0
info: {title: Shop chat, version: 2024-01-01}
servers:
  - url: https://{env}.shop.example/api
    variables: {env: {default: pre}}
security: [{key: []}]
paths:
  /products:
    post:
      requestBody: {content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}, content: {type: string}}}}}}
      responses: {"200": {description: ok}}
  /login:
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Turn'}}}}
  /shops/{shop_no}/chats/{sessionId}/messages:
    parameters:
      - {name: shop_no, in: path, required: true, schema: {type: string}}
      - {name: sessionId, in: path, required: true, schema: {type: string}}
    post:
      parameters:
        - {name: lang, in: query, required: true, schema: {type: string, enum: [zh, en]}}
        - {name: page, in: query, schema: {type: integer}}
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Turn'}
      responses:
        "200":
          content:
            application/json:
              schema:
                type: object
                properties:
                  code: {type: integer, example: 0}
                  msg: {type: [string, "null"]}
                  count: {type: integer}
                  data: {allOf: [{$ref: '#/components/schemas/Answer'}, {type: object, properties: {extra: {type: string}}}]}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Api-Key}}
  schemas:
    Turn:
      type: object
      required: [text, channel, tries]
      properties:
        text: {type: string}
        channel: {type: string, enum: [web, app]}
        tries: {type: integer, minimum: 1}
        userId: {type: string}
        optional: {type: string}
        trail: {type: string, example: "${env:HOME}"}
    Answer: {type: object, properties: {reply: {type: string}, chatId: {type: string}}}
`

// A scenario that is made of a description has what it says of a turn, and the notes
// say what was guessed.
func TestDescribed(t *testing.T) {
	openAPI := func(t *testing.T, text string) ([]*Exchange, reason.Reasons, error) {
		t.Helper()
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			doc, err := scenario.Document("api.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			text = string(doc)
		}
		x, notes, err := ParseOpenAPI([]byte(text))
		return []*Exchange{x}, notes, err
	}
	postman := func(_ *testing.T, text string) ([]*Exchange, reason.Reasons, error) {
		return ParsePostman([]byte(text))
	}
	for name, tt := range map[string]struct {
		read  func(t *testing.T, text string) ([]*Exchange, reason.Reasons, error)
		text  string
		yaml  []string
		notes []string
	}{
		"OpenAPI 3": {
			openAPI, shopAPI,
			[]string{
				"Made from an API's description, nothing of it tried", "name: described",
				`url: "https://pre.shop.example"`, `path: "/api/shops/${env:CHAT_SHOP_NO}/chats/${conversation.id}/messages?lang=zh"`, `"x-api-key": "${env:CHAT_API_KEY}"`,
				`body: {"text": "${turn.text}", "channel": "web", "tries": 1, "userId": "${user.id}"}`, `answer: "data.reply"`, `ok: {path: "code", equals: "0"}`, `error_message: "msg"`,
			},
			[]string{
				"guessed: POST /shops/{shop_no}/chats/{sessionId}/messages is the turn, its field text is what the customer says, and data.reply in the answer is the reply",
				"sessionId is taken for an id that the client chooses", "these take a text as well and were not taken: POST /products", "set CHAT_SHOP_NO in the environment", "set CHAT_API_KEY in the environment",
			},
		},
		"by roles": {
			openAPI, `{"openapi":"3.0.0","paths":{"/v1/chat/completions":{"post":{"security":[{"o":[]}],"requestBody":{"content":{"application/json":{"schema":{"type":"object","required":["model","messages"],"properties":{
				"model":{"type":"string","example":"shop-1"},"stream":{"type":"boolean"},"messages":{"type":"array","items":{"type":"object","required":["role","content"],"properties":{"role":{"enum":["system","user"]},"content":{"type":"string"}}}}}}}}},
				"responses":{"200":{"content":{"text/event-stream":{"schema":{"type":"string"}}}}}}}},"components":{"securitySchemes":{"o":{"type":"oauth2"}}}}`,
			[]string{"api: openai", `model: "shop-1"`, `auth: {bearer: "${env:CHAT_TOKEN}"}`, noAddress},
			[]string{"guessed: POST /v1/chat/completions is the turn", "no address of a server is told", "security scheme o is a bearer token", "the answer is a stream"},
		},
		"Swagger 2.0": {
			openAPI, `{"swagger":"2.0","host":"h.example","basePath":"/v2","schemes":["http"],"securityDefinitions":{"q":{"type":"apiKey","in":"query","name":"access_key"}},"security":[{"q":[]}],
				"paths":{"/ask":{"post":{"parameters":[{"in":"formData","name":"question","type":"string"},{"in":"formData","name":"sid","type":"string"}],
				"responses":{"200":{"schema":{"type":"object","properties":{"answer":{"type":"string"},"sid":{"type":"string"}}}}}}},
				"/search":{"get":{"parameters":[{"in":"query","name":"q","type":"string"}],"responses":{}}}}}`,
			[]string{`url: "http://h.example"`, `path: "/v2/ask?access_key=${env:CHAT_ACCESS_KEY}"`, "as: form", `"question": "${turn.text}"`, `"sid": "${dialog.id}"`, `answer: "answer"`, `dialog_id: "sid"`},
			[]string{"POST /ask is the turn", "GET /search", "set CHAT_ACCESS_KEY"},
		},
		"Postman": {
			postman, `{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"variable":[{"key":"host","value":"pre.shop.example"},{"key":"base","value":"https://{{host}}/api"},{"key":"token","value":"s3cret"}],
				"auth":{"type":"bearer","bearer":[{"key":"token","value":"{{token}}"}]},"event":[],
				"item":[{"name":"shop","item":[{"name":"list","request":{"method":"GET","url":"{{base}}/products"}},
				{"name":"say","event":[{"listen":"test","script":{"exec":["pm.environment.set('x', 1)"]}}],"request":{"method":"POST","url":{"raw":"{{base}}/chats/:chatId/messages?shop={{shop}}","variable":[{"key":"chatId","value":"7"}]},
				"header":[{"key":"X-Trace","value":"{{$guid}}"},{"key":"X-Off","value":"1","disabled":true}],"body":{"mode":"raw","raw":"{\"text\": \"我要退货\", \"tenant\": \"${env:HOME}\"}"}},
				"response":[{"code":500,"body":"{}"},{"code":200,"header":[{"key":"Content-Type","value":"application/json"}],"body":"{\"code\": 0, \"data\": {\"reply\": \"好的，请提供订单号。\"}}"}]}]}]}`,
			[]string{
				"Made from recorded requests", `url: "https://pre.shop.example"`, `path: "/api/chats/${conversation.id}/messages?shop=${env:CHAT_SHOP}"`, `auth: {bearer: "${env:CHAT_TOKEN}"}`, `"x-trace": "${turn.id}"`,
				`body: {"text": "${turn.text}", "tenant": "$${env:HOME}"}`, `answer: "data.reply"`, `say: "我要退货"`,
			},
			[]string{"POST /api/chats/${conversation.id}/messages is the turn", "scripts of the collection are not run", "set CHAT_SHOP in the environment to the value of the variable shop", "set CHAT_TOKEN in the environment"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			list, notes, err := tt.read(t, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			made, err := Scenario("x", "x.yaml", list)
			if err != nil {
				t.Fatal(err)
			}
			text := string(made.YAML)
			for _, want := range tt.yaml {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in\n%s", want, text)
				}
			}
			for _, not := range []string{"X-Off", "s3cret", "page=", "optional", "trail"} {
				if strings.Contains(text, not) {
					t.Errorf("%s in\n%s", not, text)
				}
			}
			said := strings.Join(append(notes, made.Notes...).Texts(reason.English), "\n")
			for _, want := range tt.notes {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
			if _, err := scenario.Parse("x.yaml", made.YAML, scenario.Options{Env: func(string) (string, bool) { return "x", true }}); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// What a description does not tell is refused, with the reason.
func TestNotDescribed(t *testing.T) {
	const op = `{"openapi":"3.0.0","paths":{"/chat":{"post":{"requestBody":{"content":{"application/json":{"schema":%}}}}}},"components":{"schemas":{"a":{"$ref":"#/components/schemas/b"},"b":{"$ref":"#/components/schemas/a"}}}}`
	deep := strings.Repeat(`{"a":`, documentDeep+2) + "1" + strings.Repeat("}", documentDeep+2)
	for text, want := range map[string]string{
		`{}`: "that is no OpenAPI document",
		`[`:  "is not JSON",
		deep: "too deep or too large",
		`{"openapi":"3.0.0","paths":{"/files/search":{"get":{"parameters":[{"in":"query","name":"query","required":true,"schema":{"type":"string"}}],"responses":{}}},"/files/{id}":{"put":{"parameters":[{"in":"path","name":"id"}],"requestBody":{"content":{"application/json":{"example":{"content":"a b"}}}}}}}}`: "PUT /files/{id}, GET /files/search take a text, but none is a POST",
		`{"openapi":"3.0.0","paths":{"/v1/chat/messages":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object","required":["payload"],"properties":{"payload":{"type":"object"},"userId":{"type":"string"}}}}}}}},"/v1/chat/tasks":{"post":{}}}}`:                                           "messages): POST /v1/chat/messages sound like a chat, but no field of theirs is described",
		`{"openapi":"3.0.0","paths":{"/products":{"get":{}}}}`:                                                                                                "no operation takes a text",
		strings.Replace(op, "%", `{"type":"object","properties":{"text":{"type":"integer"}}}`, 1):                                                             "no operation takes a text",
		strings.Replace(op, "%", `{"$ref":"https://h/x.json"}`, 1):                                                                                            "POST /chat: a $ref leads out of the file",
		strings.Replace(op, "%", `{"$ref":"#/components/schemas/a"}`, 1):                                                                                      "a $ref leads out of the file, in a circle",
		strings.Replace(op, "%", `{"$ref":"#/components/schemas/nothing"}`, 1):                                                                                "or to nothing",
		`{"openapi":"3.0.0","paths":{"/chat/{id}":{"post":{"requestBody":{"content":{"application/json":{"example":{"text":"hi you"}}}}}}}}`:                  "a parameter that is described nowhere",
		`{"openapi":"3.0.0","security":[{"k":[]}],"paths":{"/chat":{"post":{"requestBody":{"content":{"application/json":{"example":{"text":"hi you"}}}}}}}}`: `security scheme "k" is described nowhere`,
	} {
		if _, _, err := ParseOpenAPI([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.120s: %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`{"info":{}}`: "that is no Postman collection",
		`{"item":[]}`: "no request over http",
		`{"item":[{"name":"a","request":{"url":"{{base}}/x"}}]}`: "a: the variable {{base}} of its address has no value",
	} {
		if _, _, err := ParsePostman([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"a: &x 1\nb: *x":                "aliases (*x) are not supported",
		strings.Repeat("[", 400) + "1":  "nested deeper",
		"? {a: b}\n: c":                 "a key is no plain word",
		"a: \"\xff\"":                   "is not UTF-8",
		strings.Repeat("a,", 1_000_001): "lines and commas",
	} {
		if _, err := scenario.Document("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

// A schema that holds itself ends.
func TestDescribedWithoutEnd(t *testing.T) {
	const text = `{"openapi":"3.0.0","servers":[{"url":"https://h"}],"paths":{"/chat":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/n"}}}}}}},
		"components":{"schemas":{"n":{"type":"object","required":["a","b","c","text"],"properties":{"text":{"type":"string"},"a":{"$ref":"#/components/schemas/n"},"b":{"$ref":"#/components/schemas/n"},"c":{"$ref":"#/components/schemas/n"}}}}}}`
	x, _, err := ParseOpenAPI([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(x.Body); n > 200_000 {
		t.Errorf("a body of %d bytes", n)
	}
	if _, err := Scenario("x", "x.yaml", []*Exchange{x}); err != nil {
		t.Error(err)
	}
}

func FuzzDescribed(f *testing.F) {
	f.Add(shopAPI)
	f.Add(`{"swagger":"2.0","host":"h","paths":{"/ask":{"post":{"parameters":[{"in":"body","schema":{"$ref":"#/definitions/q"}}]}}},"definitions":{"q":{"properties":{"text":{"type":"string"}}}}}`)
	f.Add(`{"item":[{"request":{"method":"POST","url":"http://h/{{a}}/:b","body":{"mode":"raw","raw":"{\"q\":\"x y\"}"}},"response":[{"code":200,"body":"{\"a\":\"b c\"}"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		doc := []byte(text)
		if made, err := scenario.Document("x", doc); err == nil {
			doc = made
		}
		if x, _, err := ParseOpenAPI(doc); err == nil {
			if made, err := Scenario("x", "x.yaml", []*Exchange{x}); err == nil {
				readable(t, made.YAML)
			}
		}
		if list, _, err := ParsePostman(doc); err == nil {
			if made, err := Scenario("x", "x.yaml", list); err == nil {
				readable(t, made.YAML)
			}
		}
	})
}
