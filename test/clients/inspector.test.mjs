// The MCP Inspector's command line: lists and calls the tools, in both eras, and finds the schemas portable.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { run } from './run.mjs';
import { Server } from './server.mjs';

// The tools of the original, and ours.
const tools = [
  'join_team', 'leave_team', 'heartbeat', 'list_agents', 'get_team_status', 'sync',
  'post_knowledge', 'search_knowledge', 'retract_knowledge', 'set_memory', 'get_memory',
  'create_goal', 'create_task', 'claim_task', 'claim_next_task', 'update_task_progress',
  'complete_task', 'fail_task', 'release_task', 'list_tasks',
  'send_directive', 'inbox', 'claim_directive', 'report_directive', 'wait_directive', 'cancel_directive',
  'list_directives', 'append_output', 'get_agent_output',
  'wait',
];

describe('the Inspector', { timeout: 180_000 }, () => {
  let server, inspect;

  before(async () => {
    server = await Server.start();
    const token = await server.createTeam('t1');
    inspect = (method, ...args) =>
      run('mcp-inspector', [
        '--cli', server.mcp, '--transport', 'http', '--method', method, ...args,
        '--header', `Authorization: Bearer ${token}`, '--header', 'X-ATMcp-Agent: inspector',
      ], { HOME: server.dir });
  });

  after(() => server?.stop());

  for (const era of ['legacy', 'modern']) {
    test(`lists the tools, ${era}`, async () => {
      const { code, stdout, stderr } = await inspect('tools/list', '--protocol-era', era);
      assert.equal(code, 0, stderr);
      const names = JSON.parse(stdout).tools.map((tool) => tool.name);
      assert.deepEqual(tools.filter((name) => !names.includes(name)), []);
    });
  }

  test('finds no fault with the schemas', async () => {
    const { code, stderr } = await inspect('tools/list', '--strict');
    assert.equal(code, 0, stderr);
  });

  const calls = [
    ['get_team_status', [], { agents_total: 1 }],
    ['create_task', ['title=from the inspector'], { ok: true }],
    ['claim_next_task', [], { ok: true }],
    ['set_memory', ['key=branch', 'value=dev'], { ok: true, version: 1 }],
    ['post_knowledge', ['title=t', 'body=b', 'tags=["a","b"]'], { deduped: false }],
    ['search_knowledge', ['query=t'], { ok: true, count: 1 }],
    ['inbox', ['wait_ms=100'], { ok: true, count: 0 }],
  ];
  test('calls tools', async (t) => {
    for (const [tool, args, want] of calls) {
      await t.test(tool, async () => {
        const { code, stdout, stderr } = await inspect(
          'tools/call', '--tool-name', tool, ...args.flatMap((arg) => ['--tool-arg', arg]));
        assert.equal(code, 0, stderr + stdout);
        const answer = JSON.parse(JSON.parse(stdout).content[0].text);
        assert.partialDeepStrictEqual(answer, want);
      });
    }
  });

  test('exits with 5 where a tool says that the arguments are wrong', async () => {
    const { code, stdout } = await inspect('tools/call', '--tool-name', 'create_task');
    assert.equal(code, 5, stdout);
  });
});
