// A client waits as long as it may, the server is killed and started anew, and the same client object carries on:
// same agent, same lease, nothing joined twice.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectV1, connectV2 } from './clients.mjs';
import { Server } from './server.mjs';

const ways = [
  { name: 'TypeScript SDK v1, by headers', connect: connectV1, era: 'legacy', headers: true },
  { name: 'TypeScript SDK v1, by Mcp-Session-Id', connect: connectV1, era: 'legacy' },
  { name: 'TypeScript SDK v2, by headers', connect: connectV2, era: 'modern', headers: true },
  { name: 'TypeScript SDK v2, by the handle argument', connect: connectV2, era: 'modern', handle: true },
];

describe('an agent carries on after kill -9', { concurrency: true }, () => {
  for (const way of ways) test(way.name, { timeout: 180_000 }, (t) => carryOn(t, way));
});

async function carryOn(t, way) {
  const server = await Server.start();
  t.after(() => server.stop());
  const token = await server.createTeam('t1');
  const headers = way.headers ? { authorization: `Bearer ${token}`, 'x-atmcp-agent': 'alice' } : {};
  const alice = await way.connect(server.mcp, headers);
  t.after(() => alice.close());
  assert.equal(alice.era, way.era);

  const names = await alice.toolNames();
  for (const name of ['join_team', 'sync', 'wait', 'inbox', 'claim_next_task']) assert.ok(names.includes(name), name);

  await enter(alice, way, token);
  const { task_id } = await alice.call('create_task', { title: 'survive' });
  const lease = await alice.call('claim_next_task');
  assert.equal(lease.task_id, task_id);
  const agent = await onlyAgent(alice);

  // No answer may come early, for nothing happens; and none may come late, for clients give up at 60 s.
  await Promise.all([
    takes(45_000, () => alice.call('wait', { wait_ms: 45_000 })),
    takes(25_000, () => alice.call('inbox', { wait_ms: 25_000 })),
  ]);

  await server.killAndRestart();

  const done = await alice.call('complete_task', { task_id, fencing_token: lease.fencing_token });
  assert.equal(done.ok, true, `the lease outlives the server: ${JSON.stringify(done)}`);
  assert.equal(await onlyAgent(alice), agent, 'the same agent, and no other');
  const { events } = await alice.call('sync', { since_event_id: 0 });
  assert.equal(events.filter((event) => event.kind === 'agent_joined').length, 1, 'joined once');
}

// enter joins the team where no header says who the caller is.
async function enter(alice, way, token) {
  if (way.headers) return;
  const before = await alice.call('sync');
  assert.equal(before.error, 'not_joined', JSON.stringify(before));
  const joined = await alice.call('join_team', { team_name: 't1', display_name: 'alice', join_token: token });
  assert.ok(joined.agent_id, JSON.stringify(joined));
  if (!way.handle) return;
  assert.ok(joined.handle, JSON.stringify(joined));
  alice.every = { handle: joined.handle };
}

async function onlyAgent(alice) {
  const { agents } = await alice.call('list_agents');
  assert.equal(agents.length, 1, JSON.stringify(agents));
  assert.equal(agents[0].display_name, 'alice');
  return agents[0].agent_id;
}

async function takes(ms, call) {
  const began = performance.now();
  const answer = await call();
  const took = performance.now() - began;
  assert.ok(took > ms - 500 && took < ms + 5_000, `answered after ${Math.round(took)} ms: ${JSON.stringify(answer)}`);
}
