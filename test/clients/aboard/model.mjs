// A model that is a script, behind the addresses of the APIs that clients speak: it lets a real client run without being signed
// in to anything.
import { createServer } from 'node:http';
import { once } from 'node:events';

export class Model {
  // asked are the requests, in one shape for all of them: the names of the tools, those that were called, and all that was said.
  asked = [];

  // answer gets one of them, and returns a text, or {tool, input} for a call of a tool.
  static async start(answer) {
    const model = new Model();
    model.server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const api = apis.find(({ path }) => new URL(request.url, 'http://model').pathname.endsWith(path));
      if (request.method !== 'POST' || !api) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"data":[],"input_tokens":1}');
        return;
      }
      const whole = JSON.parse(body);
      const asked = api.read(whole);
      model.asked.push(asked);
      const said = answer(asked);
      if (!whole.stream && !request.url.includes('alt=sse')) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(api.whole(said)));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of api.stream(said)) response.write(event);
      response.end();
    });
    model.server.listen(0, '127.0.0.1');
    await once(model.server, 'listening');
    model.url = `http://127.0.0.1:${model.server.address().port}`;
    return model;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => { this.server.close(resolve); });
  }
}

let made = 0;
const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const named = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const data = (value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

// messages is Anthropic's API.
const messages = {
  path: '/v1/messages',
  read: ({ tools = [], messages: turns, system }) => ({
    tools: tools.map((tool) => tool.name),
    called: turns.flatMap(({ content }) => (Array.isArray(content) ? content : [])).filter((part) => part.type === 'tool_use').map((part) => part.name),
    text: JSON.stringify([system, turns]),
  }),
  whole: (said) => message([block(said)], stop(said)),
  * stream(said) {
    const start = said.tool ? { ...block(said), input: {} } : { type: 'text', text: '' };
    const delta = said.tool ? { type: 'input_json_delta', partial_json: JSON.stringify(said.input) } : { type: 'text_delta', text: said };
    yield named({ type: 'message_start', message: message([], null) });
    yield named({ type: 'content_block_start', index: 0, content_block: start });
    yield named({ type: 'content_block_delta', index: 0, delta });
    yield named({ type: 'content_block_stop', index: 0 });
    yield named({ type: 'message_delta', delta: { stop_reason: stop(said), stop_sequence: null }, usage });
    yield named({ type: 'message_stop' });
  },
};
const stop = (said) => (said.tool ? 'tool_use' : 'end_turn');
const block = (said) => (said.tool ? { type: 'tool_use', id: `toolu_${++made}`, name: said.tool, input: said.input } : { type: 'text', text: said });
const message = (content, stop_reason) => ({
  id: `msg_${++made}`, type: 'message', role: 'assistant', model: 'scripted', content, stop_reason, stop_sequence: null, usage,
});

// completions is OpenAI's older API, which many models are served by.
const completions = {
  path: '/chat/completions',
  read: ({ tools = [], messages: turns }) => ({
    tools: tools.map((tool) => tool.function.name),
    called: turns.flatMap((turn) => turn.tool_calls ?? []).map((call) => call.function.name),
    text: JSON.stringify(turns),
  }),
  whole: (said) => ({ ...completion('chat.completion'), choices: [{ index: 0, message: turn(said), finish_reason: finish(said) }] }),
  * stream(said) {
    const chunk = (delta, finish_reason) => data({ ...completion('chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason }] });
    yield chunk(turn(said), null);
    yield chunk({}, finish(said));
    yield data('[DONE]');
  },
};
const finish = (said) => (said.tool ? 'tool_calls' : 'stop');
const completion = (object) => ({
  id: `chat_${++made}`, object, created: 1, model: 'scripted', usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const turn = (said) => (said.tool
  ? { role: 'assistant', content: null, tool_calls: [{ index: 0, id: `call_${++made}`, type: 'function', function: { name: said.tool, arguments: JSON.stringify(said.input) } }] }
  : { role: 'assistant', content: said });

// generate is Google's API.
const generate = {
  path: 'enerateContent',
  read: ({ tools = [], contents, systemInstruction }) => ({
    tools: tools.flatMap((tool) => tool.functionDeclarations ?? []).map((tool) => tool.name),
    called: contents.flatMap(({ parts }) => parts).flatMap((part) => part.functionCall?.name ?? []),
    text: JSON.stringify([systemInstruction, contents]),
  }),
  whole: (said) => ({
    candidates: [{
      index: 0, finishReason: 'STOP',
      content: { role: 'model', parts: [said.tool ? { functionCall: { name: said.tool, args: said.input } } : { text: said }] },
    }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  }),
  * stream(said) {
    yield data(generate.whole(said));
  },
};

// responses is OpenAI's newer API.
const responses = {
  path: '/responses',
  read: ({ tools = [], input, instructions }) => ({
    tools: tools.flatMap((tool) => tool.tools?.map(({ name }) => `${tool.name}__${name}`) ?? tool.name ?? []),
    called: input.filter((item) => item.type === 'function_call').map((item) => [item.namespace, item.name].filter(Boolean).join('__')),
    text: JSON.stringify([instructions, input]),
  }),
  whole: (said) => ({ id: `resp_${++made}`, object: 'response', status: 'completed', output: [output(said)], usage: spent }),
  * stream(said) {
    const id = `resp_${++made}`;
    yield named({ type: 'response.created', response: { id } });
    yield named({ type: 'response.output_item.done', output_index: 0, item: output(said) });
    yield named({ type: 'response.completed', response: { id, usage: spent } });
  },
};
const spent = { input_tokens: 1, input_tokens_details: null, output_tokens: 1, output_tokens_details: null, total_tokens: 2 };
const output = (said) => (said.tool
  ? { type: 'function_call', id: `fc_${++made}`, call_id: `call_${made}`, ...apart(said.tool), arguments: JSON.stringify(said.input) }
  : { type: 'message', id: `item_${++made}`, role: 'assistant', content: [{ type: 'output_text', text: said }] });

// apart splits a tool's name from that of its server, which this API has in a place of its own.
function apart(tool) {
  const at = tool.lastIndexOf('__');
  return at < 0 ? { name: tool } : { namespace: tool.slice(0, at), name: tool.slice(at + 2) };
}

const apis = [messages, completions, generate, responses];
