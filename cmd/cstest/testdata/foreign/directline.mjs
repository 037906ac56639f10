// A bot on the Bot Framework SDK behind offline-directline, which speaks Direct Line: one
// posts an activity and fetches what has been said since.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { announce, ask } from './model.mjs';

const require = createRequire(import.meta.url);
const express = require('express');
const directline = require('offline-directline/dist/bridge');
const { BotFrameworkAdapter, TurnContext } = require('botbuilder');

console.error = console.log = ((say) => (text) => /^http/.test(text) && say(text))(console.log.bind(console));
const app = express();
const server = createServer(app);
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const url = `http://127.0.0.1:${server.address().port}`;
const adapter = new BotFrameworkAdapter({ appId: '', appPassword: '' });
const dialogs = new Map();
app.post('/bot', express.json(), (req, res) => adapter.processActivity(req, res, async ({ activity }) => {
  if (activity.type !== 'message') return;
  const to = TurnContext.getConversationReference(activity);
  const dialog = dialogs.get(to.conversation.id) ?? [];
  dialogs.set(to.conversation.id, dialog);
  dialog.push({ role: 'user', content: activity.text });
  const say = (what) => adapter.continueConversation(to, (turn) => turn.sendActivity(what));
  (async () => { // behind the answer to the request
    await say({ type: 'typing' });
    try {
      const text = await ask(dialog, activity.channelData);
      dialog.push({ role: 'assistant', content: text });
      await say(text);
    } catch (err) {
      await say({ type: 'endOfConversation', code: 'modelUnavailable', text: err.message });
    }
  })();
}));
app.use(directline.getRouter(url, `${url}/bot`));
announce(server);
