// Every 20th stream is refused before anything of it is done. With MODE=noerror
// every answer is whole before the request was read, and RST_STREAM(NO_ERROR) follows.
const http2 = require('http2');
const mode = process.env.MODE || 'refuse';
let n = 0;
const server = http2.createServer();
server.on('stream', (stream) => {
  n++;
  stream.on('error', () => {});
  if (mode === 'refuse' && n % 20 === 0) return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  const answer = () => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end('{"answer":"hello"}');
    if (mode === 'noerror') stream.close(http2.constants.NGHTTP2_NO_ERROR);
  };
  if (mode === 'noerror') return answer();
  stream.resume();
  stream.on('end', () => setTimeout(answer, 20));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());
