import { Ansi, plain, visible } from "../web/js/ansi.js";
import { equal, test, truth } from "./harness.js";

const lines = (...pieces) => {
  const a = new Ansi();
  const out = [];
  for (const p of pieces) a.push(p, (l) => out.push(l));
  out.push(a.peek());
  return out;
};
const texts = (...pieces) => lines(...pieces).map((l) => l.map((s) => s.t).join(""));

test("colours become class names and nothing else", () => {
  equal(lines("\x1b[1;31mred\x1b[0m plain"), [[{ t: "red", c: "f1 bo" }, { t: " plain", c: "" }]]);
  equal(lines("\x1b[38;5;196mx\x1b[48;2;0;0;0my")[0].map((s) => s.c), ["f9", "f9 b0"]);
});

test("a sequence may come in pieces", () => {
  equal(lines("a\x1b", "[3", "2", "mb\x1b[m"), [[{ t: "a", c: "" }, { t: "b", c: "f2" }]]);
});

test("a style goes on over the end of a line", () => {
  equal(lines("\x1b[32mone\ntwo").map((l) => l[0].c), ["f2", "f2"]);
});

test("what was written before a carriage return is overwritten", () => {
  equal(texts("10%\r50%\r100%\ndone\r\nnext"), ["100%", "done", "next"]);
  equal(texts("kept\r"), ["kept"]);
});

test("titles, links, clipboard, cursor and strings of any kind are dropped", () => {
  equal(texts("a\x1b]0;title\x07b\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\c\x1b]52;c;ZXZpbA==\x07d"), ["ablinkcd"]);
  equal(texts("\x1b[2J\x1b[H\x1b[10;10Hx\x1b7\x1b8\x1b(By\x1bP1$r\x1b\\z\x1b_apc\x1b\\!"), ["xyz!"]);
  equal(texts("\x9b31mx\x9d0;t\x07y\x90q\x9cz"), ["xyz"]);
});

test("a string that never ends hides what follows and breaks nothing", () => {
  equal(texts("before\x1b]0;", "x".repeat(100_000)), ["before"]);
});

test("a backspace takes one character", () => equal(texts("ab\bc"), ["ac"]));

test("controls of writing direction are seen", () => {
  equal(visible("a\u202eb\u2066c"), "a⟪RLO⟫b⟪LRI⟫c");
  equal(texts("x\u202ey"), ["x⟪RLO⟫y"]);
});

test("a line is cut where it is longer than any screen", () => {
  truth(texts("x".repeat(40_000)).every((l) => l.length <= 16_384), "no line is longer");
  equal(texts("x".repeat(40_000)).join("").length, 40_000);
});

test("no text of random bytes leaves an escape or takes long", () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  const alphabet = ["\x1b", "[", "]", "m", ";", "3", "1", "\r", "\n", "\x07", "\\", "P", "a", "\u202e", "\x9b", "\b", "é", "😀"];
  const start = Date.now();
  for (let i = 0; i < 300; i++) {
    const text = Array.from({ length: 400 }, () => alphabet[random(alphabet.length)]).join("");
    const cut = random(text.length);
    const whole = texts(text);
    equal(texts(text.slice(0, cut), text.slice(cut)), whole, "in two pieces");
    truth(!/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/.test(whole.join("")), "no control is left");
  }
  truth(Date.now() - start < 5000, "it is linear");
});

test("plain is one line without sequences", () => equal(plain("\x1b[31ma\x1b[0m\nb"), "a b"));
