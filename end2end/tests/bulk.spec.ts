// Bulk actions: previewed, rotated with their tokens shown once, revoked.

import { readFile } from 'node:fs/promises';

import { choose, expect, openConsole, test } from './server';

const issue = (server: { cli(args: string[]): string }, partner: string) =>
  server.cli(['key', 'issue', '--partner', partner, '--scope', 'assets:read']).trim();
const idOf = (token: string) => token.split('.')[0]!;

test('the keys of a partner are rotated, and their tokens handed over once', async ({ page, server }) => {
  const old = [issue(server, 'Acme'), issue(server, 'Acme')];
  const other = issue(server, 'Other');
  expect((await server.call('GET', '/api/key', old[0]!)).status).toBe(200);
  await openConsole(page, server);
  await page.getByRole('button', { name: 'Bulk actions' }).click();
  const dialog = page.getByRole('dialog', { name: 'Bulk actions' });
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog).toContainText('must name keyIds');
  await dialog.getByLabel('Older than (days, optional)').fill('0');
  await choose(dialog.getByRole('combobox', { name: 'Partner' }), 'Acme');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog.getByText('It must be a whole number from 1 to 36500.')).toBeVisible();
  await dialog.getByLabel('Older than (days, optional)').fill('');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog).toContainText('2 keys will get a successor each, in one step. 1 of them was used');
  await expect(dialog.getByRole('list', { name: 'Selected keys' })).not.toContainText(idOf(other));
  await dialog.getByRole('button', { name: 'Rotate' }).click();

  const reveal = page.getByRole('dialog', { name: 'New tokens' });
  const shown = reveal.getByRole('list', { name: 'New tokens' });
  await expect(shown.getByRole('listitem')).toHaveCount(2);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect(reveal).toBeVisible();
  const tokens = (await shown.innerText()).match(/mpk_[0-9a-f]{12}\.[0-9a-f]{72}/g)!;
  expect(tokens).toHaveLength(2);

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    reveal.getByRole('button', { name: 'Save as file' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('new-tokens.csv');
  expect(download.url()).toMatch(/^blob:/);
  const saved = await readFile((await download.path())!, 'utf8');
  const lines = saved.trim().split('\r\n');
  expect(lines[0]).toBe('replaces,keyId,token');
  expect(lines.slice(1).map((line) => line.split(',')[2]).sort()).toEqual([...tokens].sort());
  expect(lines.slice(1).map((line) => line.split(',')[0]).sort()).toEqual(old.map(idOf).sort());

  await reveal.getByRole('button', { name: 'I have stored them' }).click();
  await expect(page.getByRole('status').filter({ hasText: '2 keys rotated.' })).toBeVisible();
  for (const token of [...tokens, ...old]) {
    expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  }
  const left = await page.evaluate(() => document.documentElement.outerHTML + JSON.stringify({ ...localStorage, ...sessionStorage }));
  for (const token of tokens) {
    expect(left).not.toContain(token.split('.')[1]!);
  }
});

test('keys from a list are revoked once their number is typed', async ({ page, server }) => {
  const tokens = [issue(server, 'Acme'), issue(server, 'Acme')];
  await openConsole(page, server);
  await page.getByRole('button', { name: 'Bulk actions' }).click();
  const dialog = page.getByRole('dialog', { name: 'Bulk actions' });
  await dialog.getByLabel('What to do').selectOption('Revoke');
  await dialog.getByLabel('Which keys').selectOption('From a list of key IDs');
  await dialog.getByLabel('Key IDs').fill(`${idOf(tokens[0]!)}, no/id`);
  await dialog.getByLabel('Reason').selectOption('privilege withdrawn');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog.getByText("It must be a key's id.")).toBeVisible();
  await dialog.getByLabel('Key IDs').fill(`${idOf(tokens[0]!)}\nmpk_000000000000`);
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog).toContainText('1 key will stop working immediately');
  await dialog.getByText('1 key will be skipped').click();
  await expect(dialog).toContainText('no key has this id');
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(dialog.getByText('It must be: 1.')).toBeVisible();
  await dialog.getByLabel('Type the number of keys to confirm').fill('1');
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Revoked 1 key.' })).toBeVisible();
  expect((await server.call('GET', '/api/key', tokens[0]!)).body.reason).toBe('key_inactive');
  expect((await server.call('GET', '/api/key', tokens[1]!)).status).toBe(200);
});

test('everything of a partner is revoked by two clicks and its name', async ({ page, server }) => {
  const tokens = [issue(server, 'Acme Ltd'), issue(server, 'Acme Ltd')];
  const other = issue(server, 'Other');
  await openConsole(page, server, '/partners');
  await page.getByRole('button', { name: 'Revoke keys Acme Ltd' }).click();
  const dialog = page.getByRole('dialog', { name: 'Revoke all keys' });
  await expect(dialog).toContainText('2 keys will stop working immediately');
  await dialog.getByLabel("Type the partner's name to confirm").fill('Acme');
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(dialog.getByText('It must be: Acme Ltd.')).toBeVisible();
  for (const token of tokens) {
    expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  }
  await dialog.getByLabel("Type the partner's name to confirm").fill('Acme Ltd');
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Revoked 2 keys.' })).toBeVisible();
  for (const token of tokens) {
    expect((await server.call('GET', '/api/key', token)).status).toBe(401);
  }
  expect((await server.call('GET', '/api/key', other)).status).toBe(200);
  await expect(page.getByRole('button', { name: 'Revoke keys Acme Ltd' })).toHaveCount(0);
});

test('a lost answer to a rotation of many leads to what was made', async ({ page, server }) => {
  const old = [issue(server, 'Acme'), issue(server, 'Acme')];
  await openConsole(page, server);
  await page.route('**/rpc/bulk/rotate', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.getByRole('button', { name: 'Bulk actions' }).click();
  const dialog = page.getByRole('dialog', { name: 'Bulk actions' });
  await choose(dialog.getByRole('combobox', { name: 'Partner' }), 'Acme');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await expect(dialog).toContainText('The outcome is unknown.');
  await expect(dialog.getByRole('button', { name: /^Revoke mpk_/ })).toHaveCount(2);
  for (const token of old) {
    expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  }
});
