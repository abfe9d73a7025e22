// The official conformance suite. What needs a server made for the suite is in the baseline; all else passes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { Server } from './server.mjs';

const baseline = fileURLToPath(new URL('conformance-baseline.yml', import.meta.url));

// What every server must do. Named here so that a longer baseline cannot make the check empty.
const required = [
  'server-initialize', 'ping', 'logging-set-level', 'tools-list', 'resources-list', 'prompts-list',
  'server-sse-multiple-streams', 'dns-rebinding-protection',
];

test('the conformance suite passes but for its baseline', { timeout: 180_000 }, async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const { code, stdout, stderr } = await run(
    'conformance', ['server', '--url', server.mcp, '--expected-failures', baseline], { HOME: server.dir });

  assert.equal(code, 0, stdout + stderr);
  const passed = [...stdout.matchAll(/✓ ([\w-]+): /g)].map((match) => match[1]);
  assert.deepEqual(required.filter((name) => !passed.includes(name)), []);
});
