// A real atmcpd in its own process, over its own data directory, on its own loopback port.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const binary = process.env.ATMCPD ?? fileURLToPath(new URL('../../bin/atmcpd', import.meta.url));
const adminToken = 'admin-token-of-the-client-checks';

export class Server {
  #process;
  #log = '';

  // start runs a server on an empty data directory. Whoever starts it stops it.
  static async start() {
    const server = new Server();
    server.port = await freePort();
    server.dir = await mkdtemp(join(tmpdir(), 'atmcp-clients-'));
    server.url = `http://127.0.0.1:${server.port}`;
    server.mcp = `${server.url}/mcp`;
    try {
      await server.#run();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async stop() {
    await this.#end('SIGTERM');
    await rm(this.dir, { recursive: true, force: true });
  }

  // killAndRestart ends the process as a power cut would and starts another on the same directory and port.
  async killAndRestart() {
    await this.#end('SIGKILL');
    await this.#run();
  }

  // createTeam returns the new team's join token.
  async createTeam(name) {
    const response = await fetch(`${this.url}/api/teams`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`POST /api/teams: ${response.status} ${text}`);
    return JSON.parse(text).join_token;
  }

  async #run() {
    this.#process = spawn(binary, [], {
      env: {
        ...process.env,
        ATMCP_ADDR: `127.0.0.1:${this.port}`,
        ATMCP_DATA_DIR: this.dir,
        ATMCP_ADMIN_TOKEN: adminToken,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stdout.on('data', (chunk) => (this.#log += chunk));
    this.#process.stderr.on('data', (chunk) => (this.#log += chunk));
    await once(this.#process, 'spawn');
    for (let tries = 0; tries < 200; tries++) {
      if (this.#process.exitCode !== null) break;
      if (await fetch(`${this.url}/readyz`).then((r) => r.ok, () => false)) return;
      await pause(50);
    }
    throw new Error(`atmcpd did not become ready:\n${this.#log}`);
  }

  async #end(signal) {
    const ended = this.#process.exitCode !== null || this.#process.signalCode !== null;
    if (ended) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill(signal);
    await exit;
  }
}

// freePort finds a port below those that the system hands out by itself, so that nothing takes it between two runs.
async function freePort() {
  for (;;) {
    const port = 20000 + Math.floor(Math.random() * 10000);
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
