// The store holds a team as the server tells it: a snapshot, and after it every event's after-image. It knows
// nothing of the page. Rows are never changed, only replaced, so that a row that is the same object is the same row.
// Indexes follow each patch; nothing is computed anew over all tasks.

export const COLUMNS = ["ready", "blocked", "active", "failed", "done", "cancelled"];
const FINAL = new Set(["done", "failed", "cancelled"]);
const FEED_KEPT = 5000;
const FINAL_KEPT = 200;

const TABLES = { agent: "agents", task: "tasks", goal: "goals", directive: "directives", memory: "memory", knowledge: "knowledge" };
const KEYS = { agents: "agent_id", tasks: "task_id", goals: "goal_id", directives: "directive_id", memory: "key", knowledge: "content_id" };

export const isFinal = (status) => FINAL.has(status);

/** split returns the type and the id of an entity such as "task/…"; ids may have slashes. */
export function split(entity) {
  const cut = entity.indexOf("/");
  return [entity.slice(0, cut), entity.slice(cut + 1)];
}

export const numberOf = (row) => +(row.number || "").replace("#", "") || 0;

// What is open stands by priority and then by age, what has ended by when.
const byPriority = (a, b) => (b.priority || 0) - (a.priority || 0) || numberOf(a) - numberOf(b) || (a.task_id < b.task_id ? -1 : 1);
const byEnd = (a, b) => b.rev - a.rev || (a.task_id < b.task_id ? -1 : 1);
const ORDER = { ready: byPriority, blocked: byPriority, active: byPriority, failed: byEnd, done: byEnd, cancelled: byEnd };

function place(list, row, order) {
  let lo = 0;
  let hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (order(list[mid], row) < 0) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

export class Store {
  constructor() {
    this.listeners = new Set();
    this.dirty = new Set();
    this.paused = false;
    this.pausedAt = 0; // the newest event that is seen in the pause
    this.unseen = 0; // events since the pause
    this.scheduled = false;
    this.schedule = (flush) => queueMicrotask(flush);
    this.reset();
  }

  reset() {
    this.ready = false;
    this.head = 0;
    this.epoch = "";
    this.team = "";
    this.teamId = "";
    this.agents = new Map();
    this.tasks = new Map();
    this.goals = new Map();
    this.directives = new Map();
    this.memory = new Map();
    this.knowledge = new Map();
    this.heard = new Map(); // agent → when it was last heard
    this.presence = new Map(); // agent → {state, lastSeen, status, task, progress}
    this.leases = new Map(); // entity → {holder, token, expires}
    this.counts = { tasks: {}, agents: 0, knowledge: 0, memory: 0, weight: 0, done: 0 };
    this.goalProgress = new Map(); // goal → {total, done, tasks}
    this.columns = Object.fromEntries(COLUMNS.map((c) => [c, []]));
    this.columnOf = new Map();
    this.dependants = new Map(); // task → set of tasks that depend on it
    this.dead = new Set(); // final tasks that are not among the rows and are not done
    this.held = new Map(); // agent → set of tasks
    this.numbers = new Map(); // "#12" → [table, id]
    this.feed = [];
    this.feedBase = 0; // how many entries the ring has dropped
    this.recent = []; // [second, events] of the last seconds
    this.output = new Map(); // agent → when it last wrote
    this.countsStale = false;
    this.attention = [];
  }

  /** continues tells whether a snapshot is of the same history, and not of an older copy of it. */
  continues(snap) {
    return snap.epoch === this.epoch && snap.head >= this.head;
  }

  /** load takes a snapshot in place of all there is; presence and leases come anew with the feed. */
  load(snap) {
    const feed = this.continues(snap) ? this.feed : [];
    const keep = { feed, feedBase: this.feedBase, presence: this.presence, heard: this.heard, leases: this.leases, attention: this.attention, output: this.output };
    this.reset();
    Object.assign(this, keep, { head: snap.head, epoch: snap.epoch, team: snap.team, teamId: snap.team_id });
    for (const table in KEYS) for (const row of snap[table] || []) this.insert(table, row);
    for (const task of this.tasks.values()) this.link(task);
    for (const task of this.tasks.values()) this.file(task, true);
    for (const c of COLUMNS) this.columns[c].sort(ORDER[c]);
    const n = snap.counts || {};
    this.counts = {
      tasks: { ...n.tasks }, agents: n.agents || 0, knowledge: n.knowledge || 0, memory: n.memory || 0,
      weight: n.total_weight || 0, done: n.done_weight || 0,
    };
    for (const g of n.goals || []) this.goalProgress.set(g.goal_id, { total: g.total_weight, done: g.done_weight, tasks: { ...g.tasks } });
    this.ready = true;
    this.touch("all");
  }

  insert(table, row) {
    this[table].set(row[KEYS[table]], row);
    if (row.number) this.numbers.set(row.number, [table, row[KEYS[table]]]);
  }

  /** apply takes the events of a batch; what is older than the head has been applied. */
  apply(events) {
    let n = 0;
    for (const e of events) {
      if (e.id <= this.head) continue;
      this.head = e.id;
      n += e.n || 1;
      this.feed.push(e);
      if (e.patch) this.patch(e);
      if (e.kind === "usage_reported") this.touch("usage");
    }
    if (!n) return 0;
    if (this.feed.length > FEED_KEPT * 1.2) {
      const cut = this.feed.length - FEED_KEPT;
      this.feed.splice(0, cut);
      this.feedBase += cut;
    }
    this.trimFinal();
    this.countRate(n);
    if (this.paused) this.unseen += n;
    this.touch("feed");
    return n;
  }

  patch(e) {
    const [type, id] = split(e.entity);
    const table = TABLES[type];
    if (!table) return;
    const was = this[table].get(id);
    const rev = e.patch.rev || e.id;
    if (was && was.rev >= rev) return;
    const row = { ...was, ...e.patch, rev };
    if (row[KEYS[table]] === undefined) row[KEYS[table]] = id;
    row.ts = e.ts;
    if (type === "task") return this.patchTask(was, row, e);
    if (type === "knowledge") this.countFinding(was, row);
    if (type === "agent" && !was) this.counts.agents++;
    if (type === "memory" && !was && row.version === 1) this.counts.memory++;
    if (type === "knowledge" && row.present === false) this.knowledge.delete(id);
    else this.insert(table, row);
    this.touch(table, `${type}/${id}`, "counts");
  }

  countFinding(was, row) {
    if (row.present === false) this.counts.knowledge -= was ? 1 : 0;
    else if (!was && row.contributor_count === 1) this.counts.knowledge++;
  }

  patchTask(was, row, e) {
    if (was) {
      this.unlink(was);
      this.unfile(was);
    }
    this.insert("tasks", row);
    this.link(row);
    this.file(row);
    this.count(was, row, e);
    this.dead.delete(row.task_id);
    if (!was || was.status !== row.status) for (const id of this.dependants.get(row.task_id) || []) this.refile(id);
    this.touch("tasks", `task/${row.task_id}`);
  }

  refile(id) {
    const task = this.tasks.get(id);
    if (!task) return;
    const column = this.column(task);
    if (this.columnOf.get(id) === column) {
      this.touch(`task/${id}`);
      return;
    }
    this.unfile(task);
    this.file(task);
    this.touch(`task/${id}`, "tasks", "counts");
  }

  count(was, row, e) {
    const n = this.counts;
    if (was || e.kind === "task_created") {
      if (was) n.tasks[was.status] = (n.tasks[was.status] || 0) - 1;
      n.tasks[row.status] = (n.tasks[row.status] || 0) + 1;
      n.weight += weightOf(row) - weightOf(was);
      n.done += doneOf(row) - doneOf(was);
      this.countGoal(was, row);
    } else {
      this.countsStale = true; // it was final and forgotten: the server knows how it had ended
    }
    this.touch("counts");
  }

  countGoal(was, row) {
    for (const [task, sign] of [[was, -1], [row, 1]]) {
      if (!task || !task.goal_id) continue;
      const g = this.goalProgress.get(task.goal_id) || { total: 0, done: 0, tasks: {} };
      const tasks = { ...g.tasks };
      tasks[task.status] = (tasks[task.status] || 0) + sign;
      this.goalProgress.set(task.goal_id, { total: g.total + sign * weightOf(task), done: g.done + sign * doneOf(task), tasks });
      this.touch("goals", `goal/${task.goal_id}`);
    }
  }

  link(task) {
    for (const d of task.depends_on || []) {
      const set = this.dependants.get(d) || new Set();
      this.dependants.set(d, set.add(task.task_id));
    }
    if (task.assignee && !FINAL.has(task.status)) {
      const set = this.held.get(task.assignee) || new Set();
      this.held.set(task.assignee, set.add(task.task_id));
      this.touch(`agent/${task.assignee}`);
    }
  }

  unlink(task) {
    for (const d of task.depends_on || []) this.dependants.get(d)?.delete(task.task_id);
    if (task.assignee) {
      this.held.get(task.assignee)?.delete(task.task_id);
      this.touch(`agent/${task.assignee}`);
    }
  }

  /** unmet are the dependencies of a task that are not done. One that is not among the rows has ended. */
  unmet(task) {
    return (task.depends_on || []).filter((id) => {
      const d = this.tasks.get(id);
      return d ? d.status !== "done" : this.dead.has(id);
    });
  }

  column(task) {
    switch (task.status) {
      case "open": return this.unmet(task).length ? "blocked" : "ready";
      case "claimed":
      case "in_progress": return "active";
      default: return task.status;
    }
  }

  file(task, unsorted) {
    const c = this.column(task);
    const list = this.columns[c];
    if (!list) return;
    this.columnOf.set(task.task_id, c);
    if (unsorted) list.push(task);
    else list.splice(place(list, task, ORDER[c]), 0, task);
    this.touch(`column/${c}`);
  }

  unfile(task) {
    const c = this.columnOf.get(task.task_id);
    if (!c) return;
    const list = this.columns[c];
    let at = place(list, task, ORDER[c]);
    if (list[at] !== task) at = list.indexOf(task);
    if (at >= 0) list.splice(at, 1);
    this.columnOf.delete(task.task_id);
    this.touch(`column/${c}`);
  }

  /** trimFinal forgets the oldest of what has ended: lists of it come from the server in pages. */
  trimFinal() {
    for (const c of ["done", "failed", "cancelled"]) {
      const list = this.columns[c];
      if (list.length < FINAL_KEPT * 2) continue;
      for (const task of list.splice(FINAL_KEPT)) this.forget(task, c);
      this.touch(`column/${c}`);
    }
    if (this.directives.size > 2000) {
      const done = [...this.directives.values()].filter((d) => d.status !== "pending" && d.status !== "running").sort((a, b) => b.rev - a.rev);
      for (const d of done.slice(500)) {
        this.directives.delete(d.directive_id);
        this.numbers.delete(d.number);
      }
    }
  }

  forget(task, column) {
    this.tasks.delete(task.task_id);
    this.columnOf.delete(task.task_id);
    this.numbers.delete(task.number);
    for (const d of task.depends_on || []) this.dependants.get(d)?.delete(task.task_id);
    if (column !== "done" && this.dependants.get(task.task_id)?.size) this.dead.add(task.task_id);
  }

  /** markDead tells of tasks that ended without being done and are not among the rows. */
  markDead(ids) {
    for (const id of ids) {
      if (this.tasks.has(id) || this.dead.has(id)) continue;
      this.dead.add(id);
      for (const d of this.dependants.get(id) || []) this.refile(d);
    }
  }

  /** unknown are the dependencies of open tasks that are not among the rows. */
  unknown() {
    const ids = new Set();
    for (const [id, set] of this.dependants) if (set.size && !this.tasks.has(id)) ids.add(id);
    return ids;
  }

  /** presences takes a presence frame: all, or what changed. */
  presences(f) {
    if (f.full) {
      for (const [id, p] of this.presence) if (!f.agents[id]) this.presence.set(id, { ...p, state: "offline" });
      for (const entity of this.leases.keys()) if (!f.leases?.[entity]) this.leases.delete(entity);
    }
    for (const id in f.agents) {
      const [state, lastSeen, status, task, progress] = f.agents[id];
      this.presence.set(id, { state, lastSeen, status: status || "", task: task || "", progress: progress || 0 });
      this.touch(`agent/${id}`);
    }
    for (const entity in f.leases || {}) {
      const l = f.leases[entity];
      if (l) this.leases.set(entity, this.term(entity, l, f.now));
      else this.leases.delete(entity);
      this.touch(entity);
    }
    this.touch("presence");
    if (f.full || Object.keys(f.leases || {}).length) this.touch("leases");
  }

  /** term is a lease with the longest span that was seen of it, which is how long it is where nothing says so. */
  term(entity, l, now) {
    const was = this.leases.get(entity);
    const left = l.lease_expires_at - (now || l.lease_expires_at);
    return { holder: l.holder, token: l.fencing_token, expires: l.lease_expires_at,
      span: Math.max(left, was?.token === l.fencing_token ? was.span : 0) };
  }

  /** recall takes a page of the log from before what is here, the newest first. */
  recall(page) {
    const oldest = this.feed[0]?.id ?? this.head + 1;
    const older = page.filter((e) => e.id < oldest).reverse();
    if (!older.length || this.feed.length > FEED_KEPT) return;
    this.feed = [...older, ...this.feed];
    this.touch("feed");
  }

  wrote(agent, ts) {
    this.output.set(agent, ts);
    this.touch(`agent/${agent}`, "wrote");
  }

  stateOf(agentId) {
    return this.presence.get(agentId)?.state || "offline";
  }

  /** seen is when an agent was last heard: the feed knows it of who is or was there, the list of members of the others. */
  seen(agentId) {
    return this.presence.get(agentId)?.lastSeen || this.heard.get(agentId) || 0;
  }

  /** listed takes members as their list has them: neither snapshot nor feed says when who is gone was last heard. */
  listed(members) {
    for (const m of members) this.heard.set(m.agent_id, m.last_seen);
    this.touch("presence");
  }

  /** lease is the term that an entity is under, if it is of the current holder. */
  lease(entity) {
    return this.leases.get(entity);
  }

  /** current is the task that an agent works on: what it says, else the newest that it holds. */
  current(agentId) {
    const held = this.held.get(agentId);
    const said = this.presence.get(agentId)?.task;
    if (said && held?.has(said)) return this.tasks.get(said);
    let best;
    for (const id of held || []) {
      const task = this.tasks.get(id);
      if (task && (!best || task.rev > best.rev)) best = task;
    }
    return best;
  }

  /** counters of the board's columns, of all there is and not only of what is kept here. */
  totals() {
    const n = this.counts.tasks;
    return {
      ready: this.columns.ready.length, blocked: this.columns.blocked.length, active: this.columns.active.length,
      failed: n.failed || 0, done: n.done || 0, cancelled: n.cancelled || 0,
    };
  }

  countRate(n) {
    const now = Math.floor(Date.now() / 1000);
    const last = this.recent.at(-1);
    if (last && last[0] === now) last[1] += n;
    else this.recent.push([now, n]);
    while (this.recent.length && this.recent[0][0] < now - 5) this.recent.shift();
  }

  /** rate is how many events a second came in the last five. */
  rate() {
    const now = Math.floor(Date.now() / 1000);
    return this.recent.reduce((sum, [at, n]) => (at >= now - 5 && at < now ? sum + n : sum), 0) / 5;
  }

  /** lookup finds what a number such as "#12" or "12" stands for: its table and id. */
  lookup(number) {
    return this.numbers.get(number.startsWith("#") ? number : `#${number}`);
  }

  subscribe(fn) {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  }

  touch(...topics) {
    for (const t of topics) this.dirty.add(t);
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => this.flush());
  }

  /** pause holds the page still while events go on being applied. */
  pause(on) {
    this.paused = on;
    this.pausedAt = on ? this.head : 0;
    this.unseen = 0;
    this.touch("pause", ...(on ? [] : ["all"]));
  }

  flush() {
    this.scheduled = false;
    const dirty = this.dirty;
    if (this.paused) {
      this.emit(new Set(["pause", ...[...dirty].filter((t) => t === "conn" || t === "session")]));
      return; // what is dirty stays so until the pause ends
    }
    this.dirty = new Set();
    this.emit(dirty);
  }

  emit(dirty) {
    for (const fn of [...this.listeners]) fn(dirty);
  }
}

const weightOf = (t) => (t && t.status !== "cancelled" ? t.weight || 0 : 0);
const doneOf = (t) => (t && t.status === "done" ? t.weight || 0 : 0);
