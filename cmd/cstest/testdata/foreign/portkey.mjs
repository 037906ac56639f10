// Portkey's gateway as it is published.
import { createServer } from 'node:net';
const port = await new Promise((done) => {
  const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); });
});
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true; // it draws while it starts
process.argv.push(`--port=${port}`, '--headless');
await import('@portkey-ai/gateway/build/start-server.js');
for (;;) {
  try { await fetch(`http://127.0.0.1:${port}/`); break; } catch { await new Promise((done) => setTimeout(done, 20)); }
}
write(`http://127.0.0.1:${port}\n`);
process.stdin.resume().on('end', () => process.exit());
