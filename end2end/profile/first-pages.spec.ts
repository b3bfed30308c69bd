// Opens the pages that the first WASM file is for, and writes down which functions none of them
// called: `make profile` runs it with a program that tells.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { furnish } from '../tests/furnish';
import { AUDITOR, expect, hydrated, PASSWORD, type Server, signIn, test } from '../tests/server';

const MARKS = readFileSync(process.env.MARKS_FILE!, 'utf8').split('\n');
const called = new Set<string>();

/** Opens a page, lets it fetch what comes later, leaves it, and keeps what it called: while a page is left, nothing can be fetched. */
async function visit(page: Page, server: Server, path: string): Promise<void> {
  await page.goto(server.url + path);
  await hydrated(page);
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(2_000);
  const numbers = await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
    Object.defineProperty(document, 'hidden', { value: true });
    window.dispatchEvent(new Event('beforeunload', { cancelable: true }));
    window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    return [...(globalThis as { __hits?: Set<number> }).__hits!];
  });
  for (const number of numbers) called.add(MARKS[number]!);
}

test('the sign-in', async ({ page, server }) => {
  await visit(page, server, '/login');
  await visit(page, server, '/login?next=/audit');
});

test('the tab', async ({ page, server }) => {
  test.slow();
  server.cli(['operator', 'create', '--email', AUDITOR, '--role', 'auditor', '--password-stdin'], PASSWORD);
  await signIn(page, server);
  await visit(page, server, '/api-keys');
  server.cli(['key', 'issue', '--partner', 'Aged', '--scope', 'assets:read']);
  server.addKeys(120);
  server.age('Aged', 200);
  await visit(page, server, '/api-keys');
  const next = await page.getByRole('link', { name: 'Next page' }).getAttribute('href');
  await visit(page, server, next!);
  await furnish(server);
  await visit(page, server, '/api-keys');
  await visit(page, server, '/api-keys?status=active&q=Northwind&sort=createdAt');
  await visit(page, server, '/api-keys?q=nothing+like+it');
  server.addPartners(200);
  await visit(page, server, '/api-keys');
  await page.setViewportSize({ width: 375, height: 812 });
  await visit(page, server, '/api-keys');
  await page.context().clearCookies();
  await signIn(page, server, AUDITOR);
  await visit(page, server, '/api-keys');
});

test.afterAll(() => {
  expect(called.size).toBeGreaterThan(1_000);
  const late = [...new Set(MARKS)].filter((mark) => mark !== '' && !called.has(mark)).sort();
  writeFileSync(process.env.LATE_FUNCTIONS!, `${late.join('\n')}\n`);
});
