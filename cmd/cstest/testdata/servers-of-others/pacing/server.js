// Counts what it is asked, and tells on GET /count.
const http = require('http');
let posts = 0;
const server = http.createServer((req, res) => {
  req.resume();
  req.on('end', () => {
    if (req.method === 'POST') posts++;
    res.setHeader('content-type', 'application/json');
    res.end(req.url === '/count' ? String(posts) : '{"answer":"hello"}');
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());
