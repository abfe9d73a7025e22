import { COLUMNS, Store } from "../web/js/store.js";
import { equal, test, truth } from "./harness.js";

const task = (id, more) => ({ task_id: id, number: `#${id}`, title: `task ${id}`, status: "open", priority: 0, weight: 1, attempts: 0, depends_on: null, rev: 1, ...more });
const snapshot = (tasks = [], more) => {
  const counts = {};
  for (const x of tasks) counts[x.status] = (counts[x.status] || 0) + 1;
  return {
    head: 10, epoch: "e1", team: "crew", team_id: "t1", agents: [], goals: [], directives: [], memory: [], knowledge: [], tasks,
    counts: { agents: 0, tasks: counts, total_weight: tasks.length, done_weight: counts.done || 0, knowledge: 0, memory: 0, goals: [] }, ...more,
  };
};
const loaded = (...args) => {
  const s = new Store();
  s.schedule = (flush) => (s.flushLater = flush);
  s.load(snapshot(...args));
  return s;
};
let next = 10;
const event = (entity, kind, patch, more) => ({ id: ++next, ts: next * 1000, kind, entity, actor: "a1", patch: { ...patch, rev: next }, ...more });
const columns = (s) => Object.fromEntries(COLUMNS.map((c) => [c, s.columns[c].map((x) => x.task_id)]).filter(([, l]) => l.length));

test("columns are derived: what waits for a dependency is blocked until that is done", () => {
  next = 10;
  const s = loaded([task("1"), task("2", { depends_on: ["1"] }), task("3", { status: "claimed", assignee: "a1" }), task("4", { status: "blocked" })]);
  equal(columns(s), { ready: ["1"], blocked: ["2", "4"], active: ["3"] });
  s.apply([event("task/1", "task_claimed", { status: "claimed", assignee: "a1" })]);
  equal(columns(s), { blocked: ["2", "4"], active: ["1", "3"] });
  s.apply([event("task/1", "task_completed", { status: "done" })]);
  equal(columns(s), { ready: ["2"], blocked: ["4"], active: ["3"], done: ["1"] });
  s.apply([event("task/1", "task_reopened", { status: "open" })]);
  equal(columns(s), { ready: ["1"], blocked: ["2", "4"], active: ["3"] });
});

test("a dependency that ended undone blocks, also when it is forgotten", () => {
  next = 10;
  const s = loaded([task("2", { depends_on: ["1"] })]);
  equal(columns(s), { ready: ["2"] });
  equal([...s.unknown()], ["1"]);
  s.markDead(["1"]);
  equal(columns(s), { blocked: ["2"] });
});

test("an agent that is not there was last seen when the list of members says, and one that is there when the feed says", () => {
  const s = loaded();
  s.listed([{ agent_id: "a1", last_seen: 7000 }]);
  equal([s.seen("a1"), s.seen("a2"), s.seen("a3")], [7000, 0, 0]);
  s.presences({ full: true, agents: { a1: ["healthy", 9000] } });
  equal(s.seen("a1"), 9000);
  s.presences({ full: true, agents: {} });
  equal([s.stateOf("a1"), s.seen("a1")], ["offline", 9000]);
});

test("counts follow each event and stay those of all there is", () => {
  next = 10;
  const s = loaded([task("1"), task("2")], { counts: { agents: 0, tasks: { open: 2, done: 5000 }, total_weight: 5002, done_weight: 5000, knowledge: 0, memory: 0, goals: [] } });
  s.apply([event("task/3", "task_created", task("3")), event("task/1", "task_claimed", { status: "claimed", assignee: "a1" }), event("task/1", "task_completed", { status: "done" })]);
  equal(s.counts.tasks, { open: 2, done: 5001, claimed: 0 });
  equal([s.counts.weight, s.counts.done], [5003, 5001]);
  equal(s.totals(), { ready: 2, blocked: 0, active: 0, failed: 0, done: 5001, cancelled: 0 });
});

test("what had been forgotten and is reopened asks for the counts anew", () => {
  next = 10;
  const s = loaded([], { counts: { agents: 0, tasks: { done: 1 }, total_weight: 1, done_weight: 1, knowledge: 0, memory: 0, goals: [] } });
  s.apply([event("task/9", "task_reopened", task("9"))]);
  truth(s.countsStale, "the store cannot know how it had ended");
  equal(columns(s), { ready: ["9"] });
});

test("an event is applied once, and an older one not over a newer row", () => {
  next = 10;
  const s = loaded([task("1", { rev: 1 })]);
  const e = event("task/1", "task_claimed", { status: "claimed", assignee: "a1" });
  s.apply([e]);
  equal(s.apply([e]), 0);
  equal(s.counts.tasks, { open: 0, claimed: 1 });
  const fresh = loaded([task("1", { rev: 50, status: "done" })]);
  fresh.apply([{ id: 11, ts: 1, kind: "task_claimed", entity: "task/1", patch: { status: "claimed", rev: 11 } }]);
  equal(fresh.tasks.get("1").status, "done");
});

test("rows are replaced and never changed", () => {
  next = 10;
  const s = loaded([task("1"), task("2")]);
  const [one, two] = [s.tasks.get("1"), s.tasks.get("2")];
  s.apply([event("task/1", "task_progress", { progress_pct: 40 })]);
  truth(s.tasks.get("1") !== one && one.progress_pct === undefined, "the old row is as it was");
  truth(s.tasks.get("2") === two, "the other row is the same object");
});

test("the progress of goals follows their tasks", () => {
  next = 10;
  const s = loaded([task("1", { goal_id: "g", weight: 3 })], { goals: [{ goal_id: "g", number: "#5", title: "goal", rev: 1 }], counts: { tasks: { open: 1 }, goals: [{ goal_id: "g", total_weight: 3, done_weight: 0, tasks: { open: 1 } }] } });
  s.apply([event("task/1", "task_completed", { status: "done" }), event("task/2", "task_created", task("2", { goal_id: "g", weight: 1 }))]);
  equal(s.goalProgress.get("g"), { total: 4, done: 3, tasks: { open: 1, done: 1 } });
});

test("the current task is what the agent says, if it holds it, else the newest", () => {
  next = 10;
  const s = loaded([task("1", { status: "claimed", assignee: "a1", rev: 5 }), task("2", { status: "claimed", assignee: "a1", rev: 9 })]);
  equal(s.current("a1").task_id, "2");
  s.presences({ type: "presence", now: 1, agents: { a1: ["healthy", 1, "at it", "1", 5] } });
  equal(s.current("a1").task_id, "1");
  s.apply([event("task/1", "task_released", { status: "open", assignee: null })]);
  equal(s.current("a1").task_id, "2");
});

test("presence: full says that nobody else is there, and a null lease has ended", () => {
  const s = loaded([]);
  s.presences({ full: true, now: 1000, agents: { a: ["healthy", 1], b: ["degraded", 1] }, leases: { "task/1": { holder: "a", fencing_token: 1, lease_expires_at: 61_000 } } });
  equal([s.stateOf("a"), s.stateOf("b"), s.lease("task/1").span], ["healthy", "degraded", 60_000]);
  s.presences({ now: 31_000, agents: {}, leases: { "task/1": { holder: "a", fencing_token: 1, lease_expires_at: 61_000 } } });
  equal(s.lease("task/1").span, 60_000);
  s.presences({ now: 1, agents: {}, leases: { "task/1": null } });
  equal(s.lease("task/1"), undefined);
  s.presences({ full: true, agents: { b: ["healthy", 2] } });
  equal([s.stateOf("a"), s.stateOf("b"), s.stateOf("never")], ["offline", "healthy", "offline"]);
});

test("an older copy of the log leaves nothing of what came after it", () => {
  next = 10;
  const s = loaded([task("1")]);
  s.apply([event("task/2", "task_created", task("2"))]);
  truth(s.continues({ epoch: "e1", head: 11 }), "the same history goes on");
  s.load(snapshot([task("1")]));
  equal([s.head, s.feed.length, [...s.tasks.keys()]], [10, 0, ["1"]]);
  next = 10;
  equal(s.apply([event("task/3", "task_created", task("3"))]), 1);
});

test("names that mean something to the language are only names", () => {
  next = 10;
  const s = loaded([]);
  s.apply([event("memory/__proto__", "memory_set", { key: "__proto__", version: 1 }), event("memory/a/b", "memory_set", { key: "a/b", version: 1 })]);
  equal([...s.memory.keys()], ["__proto__", "a/b"]);
  equal({}.version, undefined);
});

test("the feed is a ring", () => {
  next = 10;
  const s = loaded([]);
  for (let i = 0; i < 20; i++) s.apply(Array.from({ length: 500 }, (_, n) => event(`memory/k${n}`, "memory_set", { key: `k${n}`, version: 2 })));
  truth(s.feed.length <= 6000, `${s.feed.length} events are kept`);
  equal(s.feed.at(-1).id, s.head);
});

test("what has ended is forgotten beyond the newest, and its dependants stay as they are", () => {
  next = 10;
  const s = loaded([task("d", { depends_on: ["t0"] })]);
  for (let i = 0; i < 500; i++) s.apply([event(`task/t${i}`, "task_created", task(`t${i}`)), event(`task/t${i}`, i ? "task_completed" : "task_cancelled", { status: i ? "done" : "cancelled" })]);
  truth(s.columns.done.length < 400, `${s.columns.done.length} done tasks are kept`);
  equal(s.counts.tasks.done, 499);
  equal(s.columns.blocked.map((x) => x.task_id), ["d"]);
});

test("one flush for many changes, and none in a pause but for the pause", () => {
  next = 10;
  const s = new Store();
  let flushes = 0;
  let later;
  s.schedule = (f) => (later = f);
  s.load(snapshot([task("1")]));
  const seen = [];
  s.subscribe((dirty) => seen.push([...dirty]) && flushes++);
  later();
  s.apply([event("task/1", "task_progress", { progress_pct: 1 })]);
  s.apply([event("task/1", "task_progress", { progress_pct: 2 })]);
  later();
  equal(flushes, 2);
  s.pause(true);
  later();
  s.apply([event("task/1", "task_progress", { progress_pct: 3 })]);
  later();
  equal([seen.at(-1), s.unseen, s.tasks.get("1").progress_pct], [["pause"], 1, 3]);
  s.pause(false);
  later();
  truth(seen.at(-1).includes("task/1") && seen.at(-1).includes("all"), "what was held back comes");
});

test("a board of random events is what a snapshot of its end would be", () => {
  next = 10;
  let seed = 3;
  const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  const s = loaded(Array.from({ length: 40 }, (_, i) => task(`${i}`, { depends_on: i % 3 === 0 && i ? [`${i - 1}`] : null, priority: i % 4 })));
  const states = ["open", "claimed", "in_progress", "blocked", "done", "failed", "cancelled"];
  for (let i = 0; i < 2000; i++) s.apply([event(`task/${random(40)}`, "task_edited", { status: states[random(7)], priority: random(5) })]);
  const anew = loaded([...s.tasks.values()]);
  equal(columns(s), columns(anew));
  for (const k of Object.keys(s.counts.tasks)) equal(s.counts.tasks[k] || 0, anew.counts.tasks[k] || 0, k);
});
