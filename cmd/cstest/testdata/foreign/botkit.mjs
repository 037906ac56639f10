// A bot on Botkit and its web adapter: a webhook that answers a list of bubbles, and a
// WebSocket. The dialog is kept by user.
import { createRequire } from 'node:module';
import { announce, ask } from './model.mjs';

const require = createRequire(import.meta.url);
const { Botkit } = require('botkit');
const { WebAdapter } = require('botbuilder-adapter-web');

process.env.PORT = '0'; // any: Botkit listens by itself
const controller = new Botkit({ adapter: new WebAdapter(), disable_console: true });
const dialogs = new Map();
controller.on('message', async (bot, message) => {
  await bot.say({ type: 'typing' });
  const dialog = dialogs.get(message.user) ?? [];
  dialogs.set(message.user, dialog);
  dialog.push({ role: 'user', content: message.text });
  let text;
  try {
    text = await ask(dialog, message.incoming_message.channelData);
  } catch (err) {
    await bot.reply(message, { type: 'error', text: err.message });
    return;
  }
  dialog.push({ role: 'assistant', content: text });
  await bot.reply(message, { text, quick_replies: [{ title: '转人工', payload: 'agent' }] });
});
const http = controller.http;
controller.ready(() => (http.listening ? announce(http) : http.on('listening', () => announce(http))));
