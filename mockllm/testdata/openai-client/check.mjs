// Runs the official OpenAI client, unmodified, against a mock LLM and prints
// what it saw as one line of JSON. Usage: node check.mjs URL
import OpenAI from 'openai';

const base = process.argv[2] + '/v1';
const client = new OpenAI({ apiKey: 'sk-test', baseURL: base, maxRetries: 0 });
const messages = [{ role: 'user', content: '优惠券怎么用?⟦c:K7F3Q2ZA.1⟧' }];
const seen = {};

const plain = await client.chat.completions.create({ model: 'qwen', messages }).withResponse();
seen.plain = {
  content: plain.data.choices[0].message.content,
  finish: plain.data.choices[0].finish_reason,
  usage: plain.data.usage,
  object: plain.data.object,
  requestID: plain.request_id,
};

seen.stream = { content: '', roles: [], finish: [], usage: null, chunks: 0, ids: [] };
const stream = await client.chat.completions.create({
  model: 'qwen', messages, stream: true, stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  seen.stream.chunks++;
  if (!seen.stream.ids.includes(chunk.id)) seen.stream.ids.push(chunk.id);
  if (chunk.usage) seen.stream.usage = chunk.usage;
  const choice = chunk.choices[0];
  if (!choice) continue;
  if (choice.delta.role) seen.stream.roles.push(choice.delta.role);
  if (choice.delta.content) seen.stream.content += choice.delta.content;
  if (choice.finish_reason) seen.stream.finish.push(choice.finish_reason);
}

// The helper that accumulates a stream checks its order on its own.
const runner = client.chat.completions.stream({ model: 'qwen', messages });
seen.accumulated = (await runner.finalChatCompletion()).choices[0].message.content;

// The same helper joins the arguments of a streamed tool call.
const tools = [{ type: 'function', function: { name: 'get_order', parameters: {
  type: 'object', properties: { count: { type: 'integer', minimum: 2 } }, required: ['count'], additionalProperties: false } } }];
const calling = client.chat.completions.stream({ model: 'qwen', messages, tools, tool_choice: 'required' });
const called = (await calling.finalChatCompletion()).choices[0];
seen.tool = { name: called.message.tool_calls[0].function.name, arguments: called.message.tool_calls[0].function.arguments, finish: called.finish_reason };

const structured = await client.chat.completions.parse({
  model: 'qwen', messages,
  response_format: { type: 'json_schema', json_schema: { name: 'intent', strict: true, schema: {
    type: 'object', properties: { intent: { type: 'string', enum: ['coupon', 'return'] } }, required: ['intent'], additionalProperties: false } } },
});
seen.structured = structured.choices[0].message.content;

const text = await client.completions.create({ model: 'qwen', prompt: '退货', max_tokens: 3 });
seen.completion = { text: text.choices[0].text, finish: text.choices[0].finish_reason, usage: text.usage };
seen.completionStream = '';
for await (const chunk of await client.completions.create({ model: 'qwen', prompt: '退货', stream: true })) {
  seen.completionStream += chunk.choices[0].text;
}

seen.models = [];
for await (const model of client.models.list()) seen.models.push(model.id);

async function caught(label, run) {
  try {
    await run();
    seen[label] = { none: true };
  } catch (e) {
    seen[label] = { class: e.constructor.name, status: e.status, code: e.code, type: e.type, message: e.message };
  }
}
const ask = (fault, extra = {}) => client.chat.completions.create(
  { model: 'qwen', messages, ...extra }, { headers: { 'X-Mock-Fault': fault } });
await caught('unauthorized', () => ask('status;status=401'));
await caught('rateLimited', () => ask('status;status=429'));
await caught('serverError', () => ask('status;status=500'));
await caught('unavailable', () => ask('status;status=503'));
await caught('unknownModel', () => client.chat.completions.create({ model: 'gpt-99', messages }));
await caught('badRequest', () => client.chat.completions.create({ model: 'qwen', messages: [] }));
await caught('reset', () => ask('reset'));
await caught('inStream', async () => {
  for await (const _ of await ask('error-in-stream;chunks=2;status=503', { stream: true }));
});
await caught('garbage', () => ask('garbage'));

// Its own retry: two failures, then an answer; the wait is what Retry-After says.
const patient = new OpenAI({ apiKey: 'sk-test', baseURL: base, maxRetries: 3 });
const began = Date.now();
const retried = await patient.chat.completions.create({ model: 'qwen', messages }, {
  headers: {
    'X-Mock-Fault': 'fail-first;attempts=2;status=503;retry_after=1s',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
});
seen.retried = { content: retried.choices[0].message.content, tookMs: Date.now() - began };

console.log(JSON.stringify(seen));
