// Real clients, brought aboard by what atmcp connect writes: each is asked, by its own command, whether it
// gets through to the server. None of them is signed in to a model; none needs to be for that.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Desk, Server, root } from './desk.mjs';

// How each client is told to trust the project, how it is asked, and what it then says.
const clients = {
  claude: {
    trust: (desk) => desk.write('.claude/settings.json', { enableAllProjectMcpServers: true }),
    ask: ['claude', 'mcp', 'get', 'atmcp'],
    says: /Status: ✔ Connected/,
  },
  codex: {
    scope: 'user', // a project's file is read once its user has trusted it, which no command does
    ask: ['codex', 'mcp', 'get', 'atmcp', '--json'],
    says: /"enabled": true/, // codex does not connect before a session
  },
  gemini: {
    trust: (desk) => desk.write('.gemini/trustedFolders.json', { [desk.project]: 'TRUST_FOLDER' }),
    ask: ['gemini', 'mcp', 'list'],
    says: /✓ atmcp: .* - Connected/,
  },
  qwen: { ask: ['qwen', 'mcp', 'list'], says: /atmcp: .* - Connected/ },
  opencode: { ask: ['opencode', 'mcp', 'list'], says: /✓ atmcp.*connected/ },
};

describe('clients brought aboard', { timeout: 600_000 }, () => {
  let server, token;

  before(async () => {
    server = await Server.start();
    token = await server.createTeam('crew');
  });
  after(() => server?.stop());

  for (const [name, client] of Object.entries(clients)) {
    for (const auth of ['env', 'inline', 'bridge']) {
      test(`${name}, ${auth}`, async () => {
        const desk = await Desk.make();
        try {
          await desk.run(['atmcp', 'login', '--url', server.url], { input: token });
          const agent = `${name} ${auth}`;
          const scope = client.scope ? ['--scope', client.scope] : [];
          const hooks = name === 'opencode' ? [] : ['--hooks'];
          await client.trust?.(desk);
          await desk.run(['atmcp', 'connect', name, '--write', ...hooks, '--auth', auth, '--agent', agent, ...scope]);
          const own = (await desk.run(['atmcp', 'token', '--name', agent])).trim();
          const said = await desk.run(client.ask, { env: auth === 'env' ? { ATMCP_TOKEN: own } : {} });
          assert.match(said, client.says);
        } finally {
          await desk.clear();
        }
      });
    }
  }

  test('the plugin of Claude Code', async () => {
    const desk = await Desk.make();
    const plugin = join(root, 'integrations', 'claude-code');
    try {
      for (const file of ['plugin.json', 'marketplace.json']) {
        assert.match(await desk.run(['claude', 'plugin', 'validate', join(plugin, '.claude-plugin', file)]), /Validation passed/);
      }
      await desk.run(['claude', 'plugin', 'marketplace', 'add', plugin]);
      await desk.run(['claude', 'plugin', 'install', 'atmcp@atmcp']);
      const parts = await desk.run(['claude', 'plugin', 'details', 'atmcp@atmcp']);
      for (const part of [/Skills \(2\)/, /Agents \(1\)/, /Hooks \(5\)/, /MCP servers \(1\)/]) assert.match(parts, part);
    } finally {
      await desk.clear();
    }
  });
});
