// Compresses as the client allows, br before gzip, as a CDN or nginx does. /sse
// streams, flushed after each event.
const http = require('http');
const zlib = require('zlib');
const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    if (request.method === 'HEAD') return response.end();
    const accepted = request.headers['accept-encoding'] || '';
    const coding = /br/.test(accepted) ? 'br' : /gzip/.test(accepted) ? 'gzip' : '';
    if (coding) response.setHeader('content-encoding', coding);
    const packer = coding === 'br' ? zlib.createBrotliCompress() : coding === 'gzip' ? zlib.createGzip() : null;
    const out = packer || response;
    if (packer) packer.pipe(response);
    if (request.url === '/sse') {
      response.setHeader('content-type', 'text/event-stream');
      let i = 0;
      const timer = setInterval(() => {
        if (i++ < 3) {
          out.write('data: {"text":"x"}\n\n');
          if (packer) packer.flush();
        } else {
          clearInterval(timer);
          out.end('event: end\ndata: {}\n\n');
        }
      }, 30);
      return;
    }
    response.setHeader('content-type', 'application/json');
    out.end('{"answer":"hello"}');
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());
