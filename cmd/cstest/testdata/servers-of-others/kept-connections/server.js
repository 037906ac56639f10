// An https server that closes connections which are idle: after 5 s, as Node does by
// default, or after KEEP milliseconds.
const fs = require('fs');
const https = require('https');
const server = https.createServer({ key: fs.readFileSync(process.env.KEY), cert: fs.readFileSync(process.env.CERT) }, (req, res) => {
  req.resume();
  req.on('end', () => {
    res.setHeader('content-type', 'application/json');
    res.end('{"answer":"hello"}');
  });
});
if (process.env.KEEP) server.keepAliveTimeout = Number(process.env.KEEP);
server.listen(0, '127.0.0.1', () => console.log(`https://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());
