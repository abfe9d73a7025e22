// The official TypeScript clients, of both generations, behind the few calls that the checks make.
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';

const info = { name: 'atmcp-client-checks', version: '1.0.0' };

// v1 speaks the protocol with initialize and sessions, 2025-11-25 and older.
export async function connectV1(url, headers) {
  const client = new ClientV1(info);
  await client.connect(new TransportV1(new URL(url), { requestInit: { headers } }));
  return new Connection(client, 'legacy');
}

// v2 asks the server what it speaks, and settles on 2026-07-28.
export async function connectV2(url, headers) {
  const client = new ClientV2(info, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new TransportV2(new URL(url), { requestInit: { headers } }));
  return new Connection(client, client.getProtocolEra());
}

class Connection {
  // every holds the arguments that go with every call, such as a handle.
  every = {};

  constructor(client, era) {
    this.client = client;
    this.era = era;
  }

  async toolNames() {
    const { tools } = await this.client.listTools();
    return tools.map((tool) => tool.name);
  }

  // call returns what the tool answered. It demands that both forms of the answer say the same.
  async call(name, args = {}) {
    const result = await this.client.callTool({ name, arguments: { ...this.every, ...args } });
    const text = result.content?.[0]?.text;
    if (result.isError) throw new Error(`${name}: ${text}`);
    const answer = JSON.parse(text);
    if (result.structuredContent && JSON.stringify(result.structuredContent) !== JSON.stringify(answer)) {
      throw new Error(`${name}: structuredContent is not what the text says: ${text}`);
    }
    return answer;
  }

  close() {
    return this.client.close();
  }
}
