// A chat server on the library that the first argument names, ws or socket.io. It
// prints its port, and ends with its standard input.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Server } from "socket.io";

process.stdin.resume().on("end", () => process.exit(0));
const http = createServer((_, res) => res.writeHead(404).end());

// What a user says decides what happens.
function answer(text, say) {
  switch (text) {
    case "twice":
      say("reply", { text });
      return say("reply", { text });
    case "late":
      return setTimeout(() => say("reply", { text }), 400);
    case "never":
      return;
    case "error":
      return say("failed", { message: "backend down" });
    case "pieces":
      for (const piece of ["a", "b", "c"]) say("delta", { text: piece });
      return say("reply", { text: "" });
    case "unasked":
      say("reply", { text });
      return setTimeout(() => say("notice", { text: "anybody there?" }), 50);
  }
  say("typing", {});
  say("reply", { text: `you said: ${text}` });
}

if (process.argv[2] === "ws") {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true, maxPayload: 1 << 16, handleProtocols: (offered) => offered.has("chat.v1") && "chat.v1" });
  http.on("upgrade", (req, socket, head) => {
    const { searchParams } = new URL(req.url, "http://localhost");
    if (searchParams.get("token") !== "secret") {
      return socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"code":"token"}');
    }
    sockets.handleUpgrade(req, socket, head, (ws) => sockets.emit("connection", ws, req));
  });
  sockets.on("connection", (ws) => {
    ws.isAlive = true;
    ws.on("pong", () => (ws.isAlive = true));
    ws.on("message", (data) => {
      const { type, text, id } = JSON.parse(data);
      const say = (kind, content) => ws.readyState === ws.OPEN && ws.send(JSON.stringify({ type: kind, turn: id, ...content }));
      if (type === "join") return say("joined", { seat: 7 });
      if (text === "close") return ws.close(1013, "try again later");
      if (text === "gone") return ws.terminate();
      answer(text, say);
    });
  });
  // As the library's documentation has it: who does not answer a ping is cut off.
  setInterval(() => {
    for (const ws of sockets.clients) {
      if (!ws.isAlive) ws.terminate();
      ws.isAlive = false;
      ws.ping("are you there?");
    }
  }, 200).unref();
} else {
  const io = new Server(http, { pingInterval: 200, pingTimeout: 200, perMessageDeflate: true });
  const chat = io.of("/chat");
  chat.use((socket, next) => {
    if (socket.handshake.auth.token === "secret") return next();
    const refused = new Error("not authorized");
    refused.data = { code: 40101 };
    next(refused);
  });
  chat.on("connection", (socket) => {
    socket.on("join", ({ room }, done) => {
      socket.join(room);
      done({ joined: true, seat: `${room}/7` });
    });
    socket.on("ask", ({ text }, done) => {
      if (text === "late") return setTimeout(() => done({ text }), 400);
      if (text === "never") return;
      done({ text: `you said: ${text}` });
    });
    socket.on("say", async ({ text, id, room }) => {
      if (text === "leave") return socket.disconnect();
      if (text === "gone") return socket.disconnect(true);
      if (text === "binary") socket.emit("typing", Buffer.from([1, 2, 3]), { turn: id });
      if (text === "receipt") {
        // The answer waits until the client has acknowledged.
        const got = await socket.timeout(2000).emitWithAck("typing", { turn: id });
        return socket.emit("reply", { turn: id, text: `acknowledged with ${JSON.stringify(got ?? null)}` });
      }
      answer(text, (kind, content) => chat.to(room).emit(kind, { turn: id, ...content }));
    });
  });
}

http.listen(0, "127.0.0.1", () => console.log(http.address().port));
