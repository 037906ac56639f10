wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"qwen","stream":true,"messages":[{"role":"system","content":"你是电商客服"},{"role":"user","content":"我有一张满减优惠券,怎么用?"}]}'
