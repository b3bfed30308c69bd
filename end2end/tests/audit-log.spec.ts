// The tab "Audit log": sentences, details on demand, filters, paging, newer events, files.

import { readFile } from 'node:fs/promises';
import { AUDITOR, choose, EMAIL, expect, hydrated, openConsole, PASSWORD, signIn, test } from './server';

test('events are described, unfolded, filtered and exported', async ({ page, server, complaints }) => {
  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  const keyId = token.split('.')[0]!;
  server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'assets:read']);
  server.cli(['key', 'revoke', keyId, '--reason', 'key_compromise']);
  await openConsole(page, server);
  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.getByRole('heading', { name: 'Audit log' })).toBeVisible();
  const events = page.getByRole('listitem');
  await expect(events.filter({ hasText: `${EMAIL} signed in` })).toHaveCount(1);
  const revoked = events.filter({ hasText: `tester at the command line revoked the key ${keyId} of Acme: key compromise` });
  await expect(revoked).toHaveCount(1);
  await expect(revoked.getByText('previous reason')).toBeHidden();
  await revoked.locator('summary').click();
  await expect(revoked.getByText('previous reason')).toBeVisible();
  await revoked.getByRole('link', { name: 'its events' }).first().click();
  await expect(page).toHaveURL(`${server.url}/audit?keyId=${keyId}`);
  await expect(page.getByLabel('Key ID')).toHaveValue(keyId);
  await expect(events).toHaveCount(2);

  await page.getByLabel('Key ID').fill('');
  await page.getByLabel('Action filter').selectOption('key.issued');
  await expect(page).toHaveURL(`${server.url}/audit?action=key.issued`);
  await expect(events).toHaveCount(2);
  await choose(page.getByLabel('Partner filter'), 'Other');
  await expect(events).toHaveCount(1);
  await page.getByLabel('Before (UTC)').fill('2020-01-01T00:00');
  await page.getByLabel('Before (UTC)').blur();
  await expect(page.getByText('No event matches this filter.')).toBeVisible();
  await page.goBack();
  await expect(events).toHaveCount(1);
  await expect(page.getByLabel('Before (UTC)')).toHaveValue('');
  await page.getByLabel('Partner filter').click();
  await page.getByRole('option', { name: 'All partners' }).click();
  await page.getByLabel('Actor').fill('tester');
  await expect(page).toHaveURL(/actor=tester/);
  await expect(events).toHaveCount(2);

  const saving = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export CSV' }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toMatch(/^history-\d{8}T\d{6}Z\.csv$/);
  const lines = (await readFile(await saved.path(), 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toContain('tester at the command line issued the key');
  expect(complaints).toEqual([]);
});

test('newer events are offered, and shown when they are asked for', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await page.clock.install();
  await openConsole(page, server, '/audit');
  const events = page.getByRole('listitem');
  const before = await events.count();
  await events.first().locator('summary').click();
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await page.clock.runFor(6_000);
  const show = page.getByRole('button', { name: 'Show newer events' });
  await expect(show).toBeVisible();
  // Until then the reader loses neither the place nor what is unfolded.
  await expect(events).toHaveCount(before);
  await expect(events.first().locator('details')).toHaveAttribute('open');
  await show.click();
  await expect(events).toHaveCount(before + 1);
  await expect(show).toHaveCount(0);
});

test('the audit log is read, filtered and paged without scripts', async ({ browser, server }) => {
  server.cli(['operator', 'create', '--email', AUDITOR, '--role', 'auditor', '--password-stdin'], PASSWORD);
  const admin = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'admin:*']).trim();
  for (let n = 0; n < 2; n += 1) server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  const key = `/api/admin/api-keys/${admin.split('.')[0]}`;
  for (let n = 1; n <= 60; n += 1) await server.call('PATCH', key, admin, { ratePerMinute: 9000 + n });
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page, server, AUDITOR);
  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.getByText('50 events on this page')).toBeVisible();
  await page.getByRole('link', { name: 'Next page' }).click();
  await expect(page.getByText(/^\d+ events on this page/)).not.toHaveText('50 events on this page');
  await page.getByLabel('Action filter').selectOption('key.issued');
  await page.getByLabel('From (UTC)').fill('2026-01-01T00:00');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('3 events on this page')).toBeVisible();
  await page.getByRole('listitem').first().locator('summary').click();
  await expect(page.getByText('rate per minute').first()).toBeVisible();
  await context.close();
});

test('an export that ends a session leads to signing in', async ({ page, server }) => {
  await page.goto(`${server.url}/audit/export?format=csv`);
  await expect(page).toHaveURL(`${server.url}/login?next=%2Faudit`);
  await page.getByLabel('Email').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Audit log' })).toBeVisible();
  await hydrated(page);
});
