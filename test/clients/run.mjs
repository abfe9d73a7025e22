// Runs a program that an npm package brings, to its end.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// run resolves with the exit code and what was printed; a failing program is an answer, not an error.
export function run(program, args, env = {}) {
  const path = fileURLToPath(new URL(`node_modules/.bin/${program}`, import.meta.url));
  const options = { env: { ...process.env, ...env }, timeout: 120_000, maxBuffer: 1 << 26 };
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? 1) : 0, stdout, stderr });
    });
  });
}
