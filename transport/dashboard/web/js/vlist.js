// The arithmetic of a list of which only what is seen is in the page.

/** Heights knows how high each row is: by measure where it was seen, else by a guess. */
export class Heights {
  constructor(guess) {
    this.guess = guess;
    this.known = new Map();
  }

  set(key, height) {
    if (Math.abs((this.known.get(key) ?? -1) - height) < 0.5) return false;
    this.known.set(key, height);
    if (this.known.size > 20_000) this.known = new Map([...this.known].slice(10_000));
    return true;
  }

  of(key) {
    return this.known.get(key) ?? this.guess;
  }
}

/** offsets returns where each row begins, and at its end the height of all. */
export function offsets(count, heightOf) {
  const at = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) at[i + 1] = at[i] + heightOf(i);
  return at;
}

/** find returns the row at a distance from the top. */
export function find(at, y) {
  let lo = 0;
  let hi = at.length - 2;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (at[mid] <= y) lo = mid;
    else hi = mid - 1;
  }
  return Math.max(0, lo);
}

/** view returns the rows to render: those between top and bottom, and a few around them. */
export function view(at, top, height, over = 6) {
  const count = at.length - 1;
  if (!count) return [0, 0];
  const from = find(at, Math.max(0, top));
  const to = find(at, top + height);
  return [Math.max(0, from - over), Math.min(count, to + 1 + over)];
}

/** fixedView is view for rows of one height. */
export function fixedView(count, rowHeight, top, height, over = 6) {
  const from = Math.floor(Math.max(0, top) / rowHeight);
  const to = Math.ceil((Math.max(0, top) + height) / rowHeight);
  return [Math.max(0, Math.min(count, from) - over), Math.min(count, to + over)];
}
