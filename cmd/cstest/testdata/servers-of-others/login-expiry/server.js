// POST /login gives a session that lives for 1 s, as a token or with COOKIE=1 as a
// cookie; POST /chat answers 401 without a live one. GET /count tells what there was.
const http = require('http');
const live = {};
let logins = 0, ok = 0, refused = 0;
const cookie = process.env.COOKIE;
const server = http.createServer((req, res) => {
  req.resume();
  req.on('end', () => {
    res.setHeader('content-type', 'application/json');
    if (req.url === '/count') return res.end(JSON.stringify({ logins, ok, refused }));
    if (req.method === 'HEAD') return res.end();
    if (req.url === '/login') {
      const session = 's' + ++logins;
      live[session] = Date.now() + 1000;
      if (cookie) res.setHeader('set-cookie', `sid=${session}; Path=/; HttpOnly`);
      return res.end(cookie ? '{"ok":true}' : JSON.stringify({ token: session, expires_in: 1 }));
    }
    const session = cookie ? ((req.headers.cookie || '').match(/sid=(\w+)/) || [])[1] : (req.headers.authorization || '').slice(7);
    if (!(live[session] > Date.now())) {
      refused++;
      res.statusCode = 401;
      return res.end('{"code":"token_expired"}');
    }
    ok++;
    res.end('{"answer":"hello"}');
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());
