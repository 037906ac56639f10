// A shop on Express, with the sessions of express-session (a cookie, kept in memory) and
// the tokens of csrf-sync. A session ends after six messages; the dialog is kept by user.
import express from 'express';
import session from 'express-session';
import { csrfSync } from 'csrf-sync';
import { announce, ask } from './model.mjs';

const { csrfSynchronisedProtection, generateToken } = csrfSync();
const app = express();
const dialogs = new Map();
app.use(express.json(), express.urlencoded({ extended: false }));
app.use(session({ name: 'shop.sid', secret: 'of this test', resave: false, saveUninitialized: true, rolling: true }));
app.get('/login', (req, res) => res.type('html').send(
  `<form method=post><meta name="csrf-token" content="${generateToken(req)}"><input name=user></form>`));
app.use(csrfSynchronisedProtection);
app.post('/login', (req, res) => req.session.regenerate(() => {
  if (!req.body.user) return res.json({ code: 40100, msg: '请输入用户名' });
  Object.assign(req.session, { user: req.body.user, left: 6 });
  res.json({ code: 0, msg: 'ok', data: { csrf: generateToken(req) } });
}));
app.post('/api/chat', async (req, res) => {
  const s = req.session;
  if (!s.user || s.left-- <= 0) {
    return res.json({ code: 40101, msg: '登录已过期' });
  }
  if (req.body.turn === '0') dialogs.set(s.user, []);
  const dialog = dialogs.get(s.user);
  dialog.push({ role: 'user', content: req.body.text });
  let text, source = 'model';
  try {
    text = await ask(dialog, req.headers);
  } catch {
    [text, source] = ['常见问题：优惠券在结算页使用。', 'faq'];
  }
  dialog.push({ role: 'assistant', content: text });
  res.json({ code: 0, msg: 'ok', data: { reply: text, source } });
});
app.use((err, req, res, next) => res.status(err.statusCode ?? 500).json({ code: 40300, msg: err.message }));
const server = app.listen(0, '127.0.0.1', () => announce(server));
