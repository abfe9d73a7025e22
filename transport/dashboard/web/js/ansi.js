// Agent output as text with colours. A linear state machine: SGR sequences become class names, everything else that
// begins with an escape is dropped (titles, links, clipboard, cursor), and controls of writing direction are made
// visible, so that what is shown is what was written.

const BIDI = {
  "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
  "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\u200e": "LRM", "\u200f": "RLM", "\u061c": "ALM",
};
const BIDI_ANY = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/;

/** visible shows the controls of writing direction in a text. */
export const visible = (text) => (BIDI_ANY.test(text) ? text.replace(new RegExp(BIDI_ANY, "g"), (c) => `⟪${BIDI[c]}⟫`) : text);

const GROUND = 0;
const ESC = 1;
const CSI = 2;
const STRING = 3; // OSC, DCS, SOS, PM, APC: until BEL or ST
const STRING_ESC = 4;
const CHARSET = 5; // one more character
const MAX_PARAMS = 64;
const MAX_LINE = 16_384;

export class Ansi {
  constructor() {
    this.state = GROUND;
    this.params = "";
    this.fg = this.bg = -1;
    this.flags = 0;
    this.line = [];
    this.text = "";
    this.size = 0;
    this.returned = false;
  }

  /** push takes text and calls out(segments) for each line that ended. The rest is in peek(). */
  push(text, out) {
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      switch (this.state) {
        case GROUND: i = this.ground(text, i, c, out); break;
        case ESC: this.escape(c); break;
        case CSI: this.csi(text[i], c); break;
        case STRING: if (c === 7 || c === 0x9c) this.state = GROUND; else if (c === 27) this.state = STRING_ESC; break;
        case STRING_ESC: this.state = c === 0x5c ? GROUND : STRING; break;
        default: this.state = GROUND;
      }
    }
  }

  ground(text, i, c, out) {
    if (c === 27) this.state = ESC;
    else if (c === 0x9b) this.begin();
    else if (c === 0x90 || (c >= 0x98 && c <= 0x9f && c !== 0x9a && c !== 0x9c)) this.state = STRING;
    else if (c === 10) this.end(out);
    else if (c === 13) this.returned = true;
    else if (c === 8) this.text = this.text.slice(0, -1);
    else if (c === 9 || (c >= 32 && c !== 127 && !(c >= 0x80 && c < 0xa0))) return this.run(text, i, out);
    return i;
  }

  /** run takes plain characters in one piece. */
  run(text, i, out) {
    if (this.returned) this.erase();
    let j = i + 1;
    for (; j < text.length; j++) {
      const c = text.charCodeAt(j);
      if ((c < 32 && c !== 9) || (c >= 127 && c < 0xa0)) break;
    }
    const room = MAX_LINE - this.size;
    const piece = text.slice(i, Math.min(j, i + room));
    this.text += piece;
    this.size += piece.length;
    if (this.size >= MAX_LINE) this.end(out);
    return i + piece.length - 1;
  }

  /** erase begins the line again: what was written before a carriage return is overwritten. */
  erase() {
    this.returned = false;
    this.line = [];
    this.text = "";
    this.size = 0;
  }

  escape(c) {
    if (c === 0x5b) this.begin();
    else if (c === 0x5d || c === 0x50 || c === 0x58 || c === 0x5e || c === 0x5f) this.state = STRING;
    else this.state = c >= 0x20 && c <= 0x2f ? CHARSET : GROUND;
  }

  begin() {
    this.state = CSI;
    this.params = "";
  }

  csi(ch, c) {
    if (c >= 0x40 && c <= 0x7e) {
      if (ch === "m") this.sgr(this.params);
      this.state = GROUND;
    } else if (c < 0x20 || c > 0x7e) this.state = c === 27 ? ESC : GROUND;
    else if (this.params.length < MAX_PARAMS) this.params += ch;
  }

  sgr(params) {
    if (/[^\d;:]/.test(params)) return;
    this.cut();
    const p = params.split(/[;:]/).map((x) => +x || 0);
    for (let i = 0; i < p.length; i++) {
      const n = p[i];
      if (n === 0) this.fg = this.bg = -1, this.flags = 0;
      else if (n >= 1 && n <= 9) this.flags |= 1 << n;
      else if (n === 22) this.flags &= ~6;
      else if (n >= 23 && n <= 29) this.flags &= ~(1 << (n - 20));
      else if (n >= 30 && n <= 37) this.fg = n - 30;
      else if (n >= 90 && n <= 97) this.fg = n - 82;
      else if (n === 39) this.fg = -1;
      else if (n >= 40 && n <= 47) this.bg = n - 40;
      else if (n >= 100 && n <= 107) this.bg = n - 92;
      else if (n === 49) this.bg = -1;
      else if (n === 38 || n === 48) {
        const [colour, used] = extended(p, i + 1);
        if (n === 38) this.fg = colour;
        else this.bg = colour;
        i += used;
      }
    }
  }

  /** cut ends the run of text that has one look. */
  cut() {
    if (this.text) this.line.push({ t: visible(this.text), c: this.look() });
    this.text = "";
  }

  look() {
    let c = "";
    const reversed = this.flags & (1 << 7);
    const fg = reversed ? this.bg : this.fg;
    const bg = reversed ? this.fg : this.bg;
    if (fg >= 0) c += ` f${fg}`;
    if (bg >= 0) c += ` b${bg}`;
    if (reversed) c += " rv";
    if (this.flags & 2) c += " bo";
    if (this.flags & 4) c += " di";
    if (this.flags & 8) c += " it";
    if (this.flags & 16) c += " ul";
    if (this.flags & 512) c += " st";
    return c.slice(1);
  }

  end(out) {
    this.cut();
    const line = this.line;
    this.erase();
    out(line);
  }

  /** peek is the line that has not ended. */
  peek() {
    return this.text ? [...this.line, { t: visible(this.text), c: this.look() }] : this.line;
  }
}

// The nearest of the sixteen: those have the contrast that the theme gives them.
function extended(p, i) {
  if (p[i] === 5) return [indexed(p[i + 1] ?? 0), 2];
  if (p[i] === 2) return [nearest(p[i + 1] ?? 0, p[i + 2] ?? 0, p[i + 3] ?? 0), 4];
  return [-1, p.length];
}

function indexed(n) {
  if (n < 16) return n;
  if (n >= 232) return nearest((n - 232) * 10 + 8, (n - 232) * 10 + 8, (n - 232) * 10 + 8);
  const level = (x) => (x ? x * 40 + 55 : 0);
  n -= 16;
  return nearest(level(Math.floor(n / 36)), level(Math.floor(n / 6) % 6), level(n % 6));
}

function nearest(r, g, b) {
  const most = Math.max(r, g, b);
  if (most < 48) return 0;
  if (most - Math.min(r, g, b) < 32) return most > 200 ? 15 : most > 110 ? 7 : 8;
  const bit = (x) => (x > most / 2 ? 1 : 0);
  return (bit(r) | (bit(g) << 1) | (bit(b) << 2)) + (most > 170 ? 8 : 0);
}

/** plain is a text without its escape sequences, on one line. */
export function plain(text) {
  const a = new Ansi();
  const lines = [];
  const add = (l) => lines.push(l.map((s) => s.t).join(""));
  a.push(text, add);
  add(a.peek());
  return lines.join(" ").trim();
}
