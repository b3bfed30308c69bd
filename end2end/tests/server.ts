// A real server of its own for each test, on a database of its own, with its log captured at
// `trace` and read for secrets at the end.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test as base, expect, type Locator, type Page } from '@playwright/test';

const BIN = required('MYPROOF_BIN');
const PEPPER = 'canary-pepper-of-the-browser-tests-0123456789';
export const EMAIL = 'ops@example.com';
export const PASSWORD = 'canary password of an operator';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing: run the tests with \`make test ONLY=browser\``);
  return value;
}

/** The server's database URL with another database's name. */
function databaseUrl(name: string): string {
  const [server, parameters] = required('DATABASE_URL').split('?');
  const base = server!.slice(0, server!.lastIndexOf('/'));
  return `${base}/${name}${parameters ? `?${parameters}` : ''}`;
}

export class Server {
  readonly database = `browser_${randomBytes(6).toString('hex')}`;
  url = '';
  log = '';
  private child: ChildProcess | undefined;

  /** More settings than every server has. */
  constructor(private readonly settings: Record<string, string> = {}) {}

  private environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      APP_ENV: 'development',
      DATABASE_URL: databaseUrl(this.database),
      APIKEY_PEPPER: PEPPER,
      LEPTOS_SITE_ADDR: '127.0.0.1:0',
      METRICS_ADDR: 'off',
      LEPTOS_SITE_ROOT: required('LEPTOS_SITE_ROOT'),
      RUST_LOG: 'trace',
      LOG_FORMAT: 'json',
      USER: 'tester',
      ...this.settings,
    };
  }

  createDatabase(): void {
    this.sql(databaseUrl('postgres'), `create database ${this.database}`);
  }

  dropDatabase(): void {
    this.sql(databaseUrl('postgres'), `drop database if exists ${this.database} with (force)`);
  }

  private sql(url: string, statement: string): void {
    const done = spawnSync('psql', [url, '-q', '-v', 'ON_ERROR_STOP=1', '-c', statement], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stderr);
  }

  /** Gives the only partner so many more keys, which nobody has a token of. */
  addKeys(count: number): void {
    this.sql(
      databaseUrl(this.database),
      `insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, created_at)
       select 'mpk_' || to_char(n, 'FM000000000000'), k.partner_id, k.scopes, k.secret_hash, k.check_tag, k.pepper_fingerprint,
              'cli:test', now() - n * interval '1 minute'
         from api_keys k, generate_series(1, ${count}) n`,
    );
  }

  /** Makes a partner's keys so many days older. */
  age(partner: string, days: number): void {
    this.sql(
      databaseUrl(this.database),
      `alter table api_keys disable trigger api_keys_identity_for_life;
       update api_keys k set created_at = k.created_at - interval '${days} days', not_before = k.not_before - interval '${days} days'
         from partners p where p.partner_id = k.partner_id and p.name = '${partner}';
       update api_key_last_use u set created_at = k.created_at from api_keys k where k.key_id = u.key_id;
       alter table api_keys enable trigger api_keys_identity_for_life`,
    );
  }

  /** Adds so many partners whose names come first. */
  addPartners(count: number): void {
    this.sql(
      databaseUrl(this.database),
      `insert into partners (partner_id, name) select gen_random_uuid(), 'A' || to_char(n, 'FM0000') from generate_series(1, ${count}) n`,
    );
  }

  /** Has every session be one in which a second factor was shown just now. */
  prove(): void {
    this.sql(databaseUrl(this.database), 'update operator_sessions set factor_at = now() where not awaits_factor');
  }

  /** Has every factor have been shown long ago. */
  forgetProofs(): void {
    this.sql(databaseUrl(this.database), "update operator_sessions set factor_at = now() - interval '6 minutes' where not awaits_factor");
  }

  /** Runs the program's command line and gives back its standard output. */
  cli(args: string[], input = ''): string {
    const done = spawnSync(BIN, args, { env: this.environment(), input, encoding: 'utf8' });
    this.log += done.stderr;
    expect(done.status, done.stderr.slice(-500)).toBe(0);
    return done.stdout;
  }

  /** On a free port, or on this one. */
  async start(port = 0): Promise<void> {
    const env = { ...this.environment(), LEPTOS_SITE_ADDR: `127.0.0.1:${port}` };
    const child = spawn(BIN, ['serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    let started = '';
    this.url = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${started.slice(-2000)}`)));
      child.stderr.on('data', (chunk: Buffer) => {
        this.log += chunk;
        started += chunk;
        const address = /"message":"listening","address":"([^"]+)"|"address":"([^"]+)"[^\n]*"message":"listening"/.exec(started);
        if (address) resolve(`http://${address[1] ?? address[2]}`);
      });
    });
  }

  /** Stops as an administrator does, and waits until it has ended. */
  async stop(): Promise<void> {
    if (!this.child || this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const [code] = await ended;
    expect(code).toBe(0);
  }

  /** A call of REST with a token. */
  async call(method: string, path: string, token: string, body?: unknown): Promise<{ status: number; body: any }> {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'X-API-Key': token, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }
}

/** Lines of a log that hold a secret: a pepper or password, a hash, or as many hex digits as one. */
export function secretsIn(log: string): string[] {
  return log.split('\n').filter((line) => /canary|\$argon2id\$v=19\$m=|[0-9a-fA-F]{40}/.test(line));
}

export const test = base.extend<{ settings: Record<string, string>; server: Server; complaints: string[] }>({
  settings: [{}, { option: true }],
  server: async ({ settings }, use) => {
    const server = new Server(settings);
    server.createDatabase();
    server.cli(['migrate']);
    server.cli(['operator', 'create', '--email', EMAIL, '--role', 'admin', '--password-stdin'], PASSWORD);
    await server.start();
    await use(server);
    await server.stop();
    server.dropDatabase();
    expect(secretsIn(server.log)).toEqual([]);
  },
  // What the browser complained of: errors and warnings of the console, refused scripts included.
  complaints: async ({ page }, use) => {
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await use(complaints);
  },
});

export { expect };

export async function hydrated(page: Page): Promise<void> {
  await expect(page.locator('html[data-hydrated="true"]')).toBeAttached({ timeout: 20_000 });
}

/** A second operator, who may only read. */
export const AUDITOR = 'auditor@example.com';

/** Signs in; what takes a fresh second factor takes it for shown. */
export async function signIn(page: Page, server: Server, email = EMAIL): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'API Keys / Rotation' })).toBeVisible();
  server.prove();
}

/** The code that an app shows for a secret in base32 (RFC 6238). */
export function timedCode(secret: string, at = Date.now()): string {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const offset = hash[19]! & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** What a token looks like. */
export const TOKEN = /mpk_[0-9a-f]{12}\.[0-9a-f]{72}/;

/** The one text of the dialog that is a token. */
export async function revealedToken(page: Page): Promise<string> {
  const dialog = page.getByRole('dialog', { name: 'New token' });
  await expect(dialog).toBeVisible();
  await expect(dialog).toContainText('shown once');
  const token = TOKEN.exec(await dialog.innerText())?.[0];
  expect(token, 'the whole token as one unbroken text').toBeTruthy();
  return token!;
}

/** Chooses an option of a combobox: types its name, and clicks the suggestion. */
export async function choose(combobox: Locator, name: string): Promise<void> {
  await combobox.fill(name);
  await combobox.locator('xpath=..').getByRole('option', { name, exact: true }).click();
  await expect(combobox).toHaveValue(name);
}

/** Opens the dialog that issues a key and chooses the partner. */
export async function openIssueDialog(page: Page, partner: string) {
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Generate New Key' });
  await choose(dialog.getByRole('combobox', { name: 'Partner', exact: true }), partner);
  return dialog;
}

/** How far the page can be scrolled sideways. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Signed in as an admin, on the hydrated page at `path`. */
export async function openConsole(page: Page, server: Server, path = '/api-keys'): Promise<void> {
  await signIn(page, server);
  await page.goto(server.url + path);
  await hydrated(page);
}
