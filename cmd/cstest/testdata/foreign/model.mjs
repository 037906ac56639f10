// What the servers of this folder share: the model they ask, and how they begin and end.

// ask gives what the model says to a dialog, or throws.
export async function ask(messages, headers = {}) {
  const answer = await fetch(`${process.env.LLM}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(headers.traceparent && { traceparent: headers.traceparent }) },
    body: JSON.stringify({ model: 'm', messages }),
  });
  if (!answer.ok) throw new Error(`the model answers ${answer.status}`);
  return (await answer.json()).choices[0].message.content;
}

// announce says where a server listens, and ends with its standard input.
export function announce(server) {
  console.log(`http://127.0.0.1:${server.address().port}`);
  process.stdin.resume().on('end', () => process.exit());
}
