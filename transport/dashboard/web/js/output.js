// What an agent wrote, as lines: a ring that keeps the newest, and says what it dropped.
import { Ansi } from "./ansi.js";

const MAX_LINES = 5000;
const MAX_CHARS = 256 * 1024;

export class Output {
  constructor({ maxLines = MAX_LINES, maxChars = MAX_CHARS } = {}) {
    this.maxLines = maxLines;
    this.maxChars = maxChars;
    this.clear();
  }

  clear() {
    this.lines = []; // {n, ts, seq of its chunk, source, dir, segs, size}
    this.open = null; // the line that has not ended
    this.next = 0;
    this.chars = 0;
    this.dropped = 0; // lines that the ring let go of
    this.first = 0; // the oldest chunk that is here
    this.last = 0; // the newest
    this.ansi = new Ansi();
    this.meta = null;
    this.version = 0; // grows with every change
    this.whole = false; // whether there is nothing before this
  }

  /** append takes chunks that follow the last; those that are here already are passed over. */
  append(chunks) {
    let n = 0;
    for (const c of chunks) {
      if (c.seq <= this.last) continue;
      this.first ||= c.seq;
      this.last = c.seq;
      this.write(c);
      n++;
    }
    if (n) this.trim();
    this.version += n;
    return n;
  }

  write(c) {
    const dir = c.directive_id || "";
    // What another writer left open ends here: it is not the beginning of this one's line.
    if (this.meta && (this.meta.source !== c.source || this.meta.dir !== dir)) this.flush();
    this.meta = { source: c.source, dir, ts: c.ts, seq: c.seq };
    this.ansi.push(c.text, (segs) => this.line(segs, c.ts));
    const rest = this.ansi.peek();
    if (rest.length) {
      this.open = { n: this.next, ts: this.open?.ts ?? c.ts, ...this.who(), segs: rest, size: length(rest) };
    } else this.open = null;
  }

  who() {
    return { seq: this.meta.seq, source: this.meta.source, dir: this.meta.dir };
  }

  line(segs, ts) {
    const size = length(segs);
    this.lines.push({ n: this.next++, ts: this.open?.ts ?? ts, ...this.who(), segs, size });
    this.open = null;
    this.chars += size;
  }

  flush() {
    if (this.open) this.ansi.end((segs) => this.line(segs, this.meta.ts));
  }

  trim() {
    let cut = Math.max(0, this.lines.length - this.maxLines);
    let chars = this.chars;
    for (let i = 0; i < cut; i++) chars -= this.lines[i].size;
    while (chars > this.maxChars && cut < this.lines.length - 1) chars -= this.lines[cut++].size;
    if (!cut) return;
    // Whole chunks go, so that what is loaded again begins where this ends.
    while (cut < this.lines.length - 1 && this.lines[cut].seq === this.lines[cut - 1].seq) chars -= this.lines[cut++].size;
    this.lines.splice(0, cut);
    this.chars = chars;
    this.dropped += cut;
    this.first = this.lines[0].seq;
    this.whole = false;
  }

  /** prepend takes an earlier page, the oldest chunk first, before what is here. It makes room for it. */
  prepend(chunks) {
    const page = new Output({ maxLines: Infinity, maxChars: Infinity });
    page.append(chunks.filter((c) => !this.first || c.seq < this.first));
    page.flush();
    if (!page.last) return 0;
    this.first = page.first;
    this.maxLines += page.lines.length;
    this.maxChars += page.chars;
    const start = (this.lines[0]?.n ?? this.open?.n ?? this.next) - page.lines.length;
    page.lines.forEach((l, i) => (l.n = start + i));
    this.lines.unshift(...page.lines);
    this.chars += page.chars;
    this.dropped = 0;
    this.version++;
    return page.lines.length;
  }

  /** all are the lines there are, the one that has not ended among them. */
  all() {
    return this.open ? [...this.lines, this.open] : this.lines;
  }
}

const length = (segs) => segs.reduce((n, s) => n + s.t.length, 0);

export const textOf = (line) => line.segs.map((s) => s.t).join("");
