// Claude Code, Codex, Gemini CLI and Qwen Code themselves, with the hooks that atmcp connect sets, and a scripted model in the place of theirs: the
// directive that waits for the agent is delivered when it stops, is done, and is reported, and the console sees the report.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Desk, Server, root } from './desk.mjs';
import { Model } from './model.mjs';

// script does what its hook asks, by the tools that it was given. Some clients show a tool only once it was looked for.
function script({ tools, called, text }) {
  const named = (name) => tools.find((tool) => tool.endsWith(`_${name}`));
  const done = (name) => called.some((tool) => tool.endsWith(`_${name}`));
  const id = /directive_id ([0-9A-Z]{26})/.exec(text)?.[1];
  if (!id || (!named('claim_directive') && !tools.includes('tool_search'))) return 'I am done.';
  if (!named('report_directive')) return { tool: 'tool_search', input: { query: 'select:mcp__atmcp__claim_directive,mcp__atmcp__report_directive' } };
  if (!done('claim_directive')) return { tool: named('claim_directive'), input: { directive_id: id } };
  if (!done('report_directive')) return { tool: named('report_directive'), input: { directive_id: id, status: 'done', result_summary: '42 tests, all pass' } };
  return 'It is reported.';
}

let server, token, model;
before(async () => {
  server = await Server.start();
  token = await server.createTeam('crew');
  model = await Model.start(script);
});
after(async () => {
  await server?.stop();
  await model?.stop();
});

const claude = (prefix) => (desk, prompt) => desk.run(
  ['claude', '-p', prompt, '--allowedTools', ['claim_directive', 'report_directive'].map((name) => prefix + name).join(',')],
  {
    env: {
      ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'scripted', ENABLE_TOOL_SEARCH: 'false',
      DISABLE_TELEMETRY: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
  },
);
const qwen = (desk, prompt) => desk.run(['qwen', '-p', prompt, '--auth-type', 'openai', '--approval-mode', 'yolo'], {
  env: { OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: 'scripted', OPENAI_MODEL: 'scripted' },
});

const gemini = (desk, prompt) => desk.run(['gemini', '-p', prompt, '--approval-mode', 'yolo', '-m', 'gemini-2.5-pro'], {
  env: { GOOGLE_GEMINI_BASE_URL: model.url, GEMINI_API_KEY: 'scripted' },
});

const codex = (desk, prompt) => desk.run(
  [
    'codex', 'exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '--dangerously-bypass-hook-trust', '-m', 'scripted',
    '-c', 'model_provider="scripted"',
    '-c', `model_providers.scripted={name="scripted",base_url="${model.url}/v1",env_key="SCRIPTED",wire_api="responses"}`, prompt,
  ],
  { env: { SCRIPTED: 'scripted' } },
);

const connect = (name, agent, ...more) => async (desk) => {
  await desk.run(['atmcp', 'login', '--url', server.url], { input: token });
  await desk.run(['atmcp', 'connect', name, '--write', '--hooks', '--auth', 'bridge', '--agent', agent, ...more]);
};

// Each way aboard: how it is prepared, and how its client is run.
const ways = {
  claude: {
    run: claude('mcp__atmcp__'),
    prepare: async (desk) => {
      await desk.write('.claude/settings.json', { enableAllProjectMcpServers: true });
      await connect('claude', 'claude')(desk);
    },
  },
  plugin: {
    run: claude('mcp__plugin_atmcp_atmcp__'),
    prepare: async (desk) => {
      await desk.run(['claude', 'plugin', 'marketplace', 'add', join(root, 'integrations', 'claude-code')]);
      await desk.run([
        'claude', 'plugin', 'install', 'atmcp@atmcp',
        '--config', `url=${server.url}`, '--config', `token=${token}`, '--config', 'agent_name=plugin',
      ]);
    },
  },
  codex: { run: codex, prepare: connect('codex', 'codex', '--scope', 'user') },
  gemini: {
    run: gemini,
    prepare: async (desk) => {
      await desk.write('.gemini/trustedFolders.json', { [desk.project]: 'TRUST_FOLDER' });
      await desk.write('.gemini/settings.json', { security: { auth: { selectedType: 'gemini-api-key' } } });
      await connect('gemini', 'gemini')(desk);
    },
  },
  qwen: { run: qwen, prepare: connect('qwen', 'qwen'), noBrief: true }, // with -p it runs no hook of a session's start
};

for (const [agent, way] of Object.entries(ways)) {
  test(`a directive reaches the agent when it stops: ${agent}`, { timeout: 240_000 }, async () => {
    const desk = await Desk.make();
    const console = { ATMCP_URL: server.url, ATMCP_TOKEN: token };
    try {
      await way.prepare(desk);
      model.asked = [];
      await way.run(desk, 'say that you are here'); // which has it join
      assert.ok(way.noBrief || model.asked.some(({ text }) => new RegExp(`You are [^ ]*${agent}[^ ]* in the team`).test(text)), 'the brief reached the model');
      const sent = desk.run(['atmcp', 'send', agent, 'run the tests', '--wait', '--timeout', '90s'], { env: console });
      await way.run(desk, 'say that you are done');
      assert.match(await sent, /42 tests, all pass/);
      assert.match(await desk.run(['atmcp', 'agents'], { env: console }), new RegExp(`${agent} +healthy`));
    } finally {
      await desk.clear();
    }
  });
}
