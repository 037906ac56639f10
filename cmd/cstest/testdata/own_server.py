"""A chat server that is not cstest's, with field names of its own.

own_server.py LLM_URL [--forget]

POST /api/talk {"uid", "text", "dialog_id"} gives
{"success": true, "data": {"dialog_id", "reply", "src"}}. The model gets the
whole dialog; when it fails, a fixed text answers with src "kb". --forget sends
the model only the last message.
"""
import http.client
import json
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LLM = sys.argv[1].removeprefix("http://").rstrip("/")
FORGET = "--forget" in sys.argv[2:]
DIALOGS, LOCK = {}, threading.Lock()


def ask(messages, trace):
    conn = http.client.HTTPConnection(LLM, timeout=3)
    try:
        headers = {"Content-Type": "application/json", "traceparent": trace}
        conn.request("POST", "/v1/chat/completions", json.dumps({"model": "m", "messages": messages}), headers)
        resp = conn.getresponse()
        body = resp.read()
        if resp.status != 200:
            raise OSError(resp.status)
        return json.loads(body)["choices"][0]["message"]["content"], "model"
    except (OSError, http.client.HTTPException, ValueError):
        return "常见问题:优惠券在结算页选择,退货请在订单页申请。", "kb"
    finally:
        conn.close()


class Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        dialog = asked.get("dialog_id") or uuid.uuid4().hex
        with LOCK:
            history = DIALOGS.setdefault((asked["uid"], dialog), [])
        history.append({"role": "user", "content": asked["text"]})
        reply, src = ask(history[-1:] if FORGET else history, self.headers.get("traceparent", ""))
        history.append({"role": "assistant", "content": reply})
        body = json.dumps({"success": True, "data": {"dialog_id": dialog, "reply": reply, "src": src}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Talk)
print("http://127.0.0.1:%d" % server.server_port, flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
