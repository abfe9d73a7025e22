// What pictures and lists compute before they draw. It knows nothing of the page.

const MINUTE = 60_000;
const STEPS = [1, 5, 15, 30, 60, 120, 360, 720, 1440, 2880, 10080, 43200].map((m) => m * MINUTE);

/** timeTicks are round moments between two, of a day that begins zone milliseconds after UTC's; about so many at most. */
export function timeTicks(from, to, most, zone = new Date(from).getTimezoneOffset() * MINUTE) {
  const step = STEPS.find((s) => (to - from) / s <= most) || STEPS.at(-1) * Math.ceil((to - from) / STEPS.at(-1) / most);
  const list = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) list.push(at);
  return list;
}

/** percent is how much of a whole a part is, rounded as the server does: half to even, and 0 of nothing. */
export function percent(part, whole) {
  if (!whole) return 0;
  const down = Math.floor((100 * part) / whole);
  const rest = (200 * part) % (2 * whole);
  return rest > whole || (rest === whole && down % 2) ? down + 1 : down;
}

/** topOf is a round number at or above one, in so many round steps. */
export function topOf(most, steps = 4) {
  const rough = Math.max(most, 1e-9) / steps;
  const unit = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((m) => m * unit).find((s) => s >= rough * 0.999) * steps;
}

/** pieces cuts a text at spans of UTF-16 units: [text, marked?] in turn. A span that does not fit is left out. */
export function pieces(text, spans) {
  const list = [];
  let from = 0;
  for (const { start, end } of [...(spans || [])].sort((a, b) => a.start - b.start)) {
    if (start < from || end <= start || end > text.length) continue;
    if (start > from) list.push([text.slice(from, start), false]);
    list.push([text.slice(start, end), true]);
    from = end;
  }
  if (from < text.length) list.push([text.slice(from), false]);
  return list;
}

/** fit cuts a text to about so many characters; a wide one counts twice, and none is cut in two. */
export function fit(text, room) {
  let left = room;
  let i = 0;
  for (const c of text) {
    left -= c > "\u2e80" ? 2 : 1;
    if (left < 0) return `${text.slice(0, i)}…`;
    i += c.length;
  }
  return text;
}

/** branches groups keys by their beginning, up to a dot, a slash or a colon: [[beginning, rows], …], and those that stand alone. */
export function branches(rows) {
  const groups = new Map();
  for (const r of rows) {
    const head = r.key.match(/^[^./:]*[./:](?=.)/)?.[0] || "";
    groups.set(head, [...(groups.get(head) || []), r]);
  }
  const loose = [...(groups.get("") || [])];
  groups.delete("");
  for (const [head, list] of groups) {
    if (list.length > 1) continue;
    loose.push(...list);
    groups.delete(head);
  }
  return [[...groups], loose.sort((a, b) => (a.key < b.key ? -1 : 1))];
}

/** byTask turns lanes of agents into lanes of tasks, the first that was held first. */
export function byTask(lanes) {
  const tasks = new Map();
  for (const l of lanes) {
    for (const s of l.segments) {
      const lane = tasks.get(s.task_id) || { key: s.task_id, name: s.title, number: s.number, first: s.from, segments: [] };
      tasks.set(s.task_id, lane);
      lane.first = Math.min(lane.first, s.from);
      lane.segments.push({ ...s, agent: l.agent });
    }
  }
  return [...tasks.values()].sort((a, b) => a.first - b.first);
}
