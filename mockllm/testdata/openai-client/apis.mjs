// Runs the official clients, unmodified, against the APIs beside chat and
// prints what they saw as one line of JSON. Usage: node apis.mjs URL LIMITED-URL
import OpenAI, { AzureOpenAI } from 'openai';
import Anthropic from '@anthropic-ai/sdk';

const [url, limited] = process.argv.slice(2);
const client = new OpenAI({ apiKey: 'sk-test', baseURL: url + '/v1', maxRetries: 0 });
const question = '优惠券怎么用?⟦c:K7F3Q2ZA.1⟧';
const messages = [{ role: 'user', content: question }];
const schema = { type: 'object', properties: { count: { type: 'integer', minimum: 2 } }, required: ['count'], additionalProperties: false };
const seen = {};

async function caught(run) {
  try {
    await run();
    return { none: true };
  } catch (e) {
    return { class: e.constructor.name, status: e.status, code: e.code, type: e.type ?? e.error?.error?.type, message: e.message,
      retryAfter: e.headers?.get?.('retry-after'), left: e.headers?.get?.('x-ratelimit-remaining-requests') };
  }
}

// The client asks for base64 unless told and decodes it itself.
const packed = await client.embeddings.create({ model: 'emb', input: ['退货', '退款'] });
const plain = await client.embeddings.create({ model: 'emb', input: '退货', encoding_format: 'float' });
const short = await client.embeddings.create({ model: 'emb', input: '退货', dimensions: 8 });
const a = packed.data[0].embedding, b = plain.data[0].embedding;
seen.embeddings = {
  dimensions: [a.length, b.length, short.data[0].embedding.length], index: packed.data.map((d) => d.index),
  norm: Math.hypot(...a), apart: Math.max(...a.map((x, i) => Math.abs(x - b[i]))),
  cosine: a.reduce((s, x, i) => s + x * packed.data[1].embedding[i], 0), usage: plain.usage,
};

const answer = await client.responses.create({ model: 'gpt', input: question });
seen.response = { text: answer.output_text, status: answer.status, usage: answer.usage };
seen.responseEvents = [];
const streaming = client.responses.stream({ model: 'gpt', input: messages });
for await (const event of streaming) {
  if (seen.responseEvents.at(-1) !== event.type) seen.responseEvents.push(event.type);
}
const streamed = await streaming.finalResponse();
seen.responseStream = { text: streamed.output_text, status: streamed.status, usage: streamed.usage };
const short2 = await client.responses.create({ model: 'gpt', input: question, max_output_tokens: 2 });
seen.responseCut = { text: short2.output_text, status: short2.status, reason: short2.incomplete_details.reason };
const calling = client.responses.stream({ model: 'gpt', input: question, tool_choice: 'required',
  tools: [{ type: 'function', name: 'get_order', parameters: schema, strict: true }] });
const called = (await calling.finalResponse()).output[0];
seen.responseTool = { type: called.type, name: called.name, arguments: called.arguments };
const parsed = await client.responses.parse({ model: 'gpt', input: question, text: { format: { type: 'json_schema', name: 's', strict: true, schema } } });
seen.responseParsed = parsed.output_parsed ?? JSON.parse(parsed.output_text);
seen.responseBad = await caught(() => client.responses.create({ model: 'gpt', input: question, previous_response_id: 'resp_1' }));
// This API has an event for errors, which the client hands on.
for await (const event of await client.responses.create({ model: 'gpt', input: question, stream: true }, { headers: { 'X-Mock-Fault': 'error-in-stream;chunks=2;status=503' } })) {
  seen.responseFailed = event;
}

const claude = new Anthropic({ apiKey: 'sk-test', baseURL: url, maxRetries: 0 });
const ask = { model: 'claude', max_tokens: 500, messages };
const message = await claude.messages.create(ask);
seen.message = { text: message.content[0].text, stop: message.stop_reason, usage: message.usage };
seen.messageEvents = [];
const reading = claude.messages.stream(ask);
reading.on('streamEvent', (e) => { if (seen.messageEvents.at(-1) !== e.type) seen.messageEvents.push(e.type); });
const read = await reading.finalMessage();
seen.messageStream = { text: read.content[0].text, stop: read.stop_reason, usage: read.usage };
const stopped = await claude.messages.create({ ...ask, stop_sequences: ['结算'] });
seen.messageStopped = { text: stopped.content[0].text, stop: stopped.stop_reason, sequence: stopped.stop_sequence };
const used = await claude.messages.stream({ ...ask, tools: [{ name: 'get_order', input_schema: schema }], tool_choice: { type: 'any' } }).finalMessage();
seen.messageTool = { stop: used.stop_reason, name: used.content[0].name, input: used.content[0].input };
seen.messageBad = await caught(() => claude.messages.create({ model: 'claude', messages }));
seen.messageBusy = await caught(() => claude.messages.create(ask, { headers: { 'X-Mock-Fault': 'status;status=529' } }));
seen.messageFailed = await caught(() => claude.messages.stream(ask, { headers: { 'X-Mock-Fault': 'error-in-stream;chunks=2;status=503' } }).finalMessage());

const several = await client.chat.completions.create({ model: 'gpt', messages, n: 3 });
seen.several = { texts: several.choices.map((c) => c.message.content), index: several.choices.map((c) => c.index), usage: several.usage };
const both = await client.chat.completions.stream({ model: 'gpt', messages, n: 2 }).finalChatCompletion();
seen.severalStream = both.choices.map((c) => c.message.content);

const flags = await client.moderations.create({ input: ['你好', '我要买炸弹'] });
seen.moderations = flags.results.map((r) => [r.flagged, Object.keys(r.categories).filter((c) => r.categories[c]).join()]);

const azure = new AzureOpenAI({ apiKey: 'k', endpoint: url, apiVersion: '2024-10-21', deployment: 'my-gpt', maxRetries: 0 });
seen.azure = (await azure.chat.completions.create({ model: '', messages }).withResponse()).data.model;

// Two requests a minute: the third is refused, and says for how long.
const poor = new OpenAI({ apiKey: 'sk-test', baseURL: limited + '/v1', maxRetries: 0 });
const first = await poor.chat.completions.create({ model: 'gpt', messages }).withResponse();
seen.limits = ['limit-requests', 'remaining-requests', 'limit-tokens'].map((h) => first.response.headers.get('x-ratelimit-' + h));
seen.reasoning = first.data.usage;
await poor.chat.completions.create({ model: 'gpt', messages });
seen.limited = await caught(() => poor.chat.completions.create({ model: 'gpt', messages }));

console.log(JSON.stringify(seen));
