// The way through all layers: sign in, create a partner, issue, call, rotate, revoke, restart.

import type { Response } from '@playwright/test';
import { expect, hydrated, openConsole, openIssueDialog, overflow, revealedToken, signIn, test, TOKEN } from './server';

test('a key lives from the browser to REST and back', async ({ page, server, complaints }) => {
  const bodies: string[] = [];
  page.on('response', async (response: Response) => {
    const body = await response.text().catch(() => '');
    if (TOKEN.test(body)) bodies.push(`${response.url()} ${response.headers()['cache-control']}`);
  });

  await page.goto(server.url);
  await expect(page).toHaveURL(/\/login\?next=/);
  await hydrated(page);
  await signIn(page, server);
  await hydrated(page);
  await expect(page.getByText('No API keys yet.')).toBeVisible();

  // Issue, with a partner made on the spot.
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Generate New Key' });
  await dialog.getByRole('button', { name: 'New partner' }).click();
  await dialog.getByLabel('Partner name').fill('Acme <b>"Söhne"</b> مؤسسة 🚀');
  await dialog.getByRole('button', { name: 'Create partner' }).click();
  await expect(dialog.getByLabel('Partner', { exact: true })).not.toHaveValue('');
  await dialog.getByLabel('Name (optional)').fill('Billing');
  await expect(dialog.getByLabel('assets:read')).toBeChecked();
  await dialog.getByLabel('reverify').check();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  const token = await revealedToken(page);
  const [keyId] = token.split('.');

  // Nothing but the button closes the reveal.
  for (let press = 0; press < 4; press++) await page.keyboard.press('Escape');
  await page.mouse.click(5, 5);
  await expect(page.getByRole('dialog', { name: 'New token' })).toBeVisible();
  await page.getByRole('button', { name: 'Copy' }).click();
  await expect(page.getByText('Copied.')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const left = await page.evaluate(() => document.documentElement.outerHTML + JSON.stringify({ ...localStorage, ...sessionStorage }) + JSON.stringify(history.state) + location.href);
  expect(left).not.toMatch(TOKEN);

  const row = page.getByRole('row').filter({ hasText: keyId! });
  await expect(row).toContainText('Acme <b>"Söhne"</b> مؤسسة 🚀');
  await expect(row).toContainText('Billing');
  await expect(row).toContainText('active');

  // It calls REST, within its scopes.
  const own = await server.call('GET', '/api/key', token);
  expect(own.status).toBe(200);
  expect(own.body.key.scopes).toEqual(['assets:read', 'reverify']);
  expect((await server.call('GET', '/api/admin/partners', token)).status).toBe(403);

  // Rotate with a grace: both work.
  await row.getByRole('button', { name: 'Rotate' }).click();
  const rotate = page.getByRole('dialog', { name: 'Rotate key' });
  await expect(rotate).toContainText(keyId!);
  await expect(rotate.getByLabel('The old key stops working')).toHaveValue('0');
  await rotate.getByLabel('The old key stops working').selectOption('After 1 hour');
  await rotate.getByRole('button', { name: 'Rotate' }).click();
  const successor = await revealedToken(page);
  await page.getByRole('button', { name: 'I have stored it' }).click();
  expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  expect((await server.call('GET', '/api/key', successor)).status).toBe(200);
  await expect(page.getByRole('row').filter({ hasText: keyId! })).toContainText('retiring');

  // Revoke the old one.
  await page.getByRole('button', { name: `Revoke ${keyId}` }).click();
  const revoke = page.getByRole('dialog', { name: 'Revoke key' });
  await revoke.getByLabel('Reason').selectOption('superseded');
  await revoke.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('row').filter({ hasText: keyId! })).toContainText('revoked');
  const refused = await server.call('GET', '/api/key', token);
  expect([refused.status, refused.body.reason]).toEqual([401, 'key_inactive']);

  // Restart everything: it is all still there, the session too.
  await server.stop();
  await server.start();
  expect((await server.call('GET', '/api/key', successor)).status).toBe(200);
  expect((await server.call('GET', '/api/key', token)).status).toBe(401);
  await page.goto(`${server.url}/login`);
  // Chromium has a download wait 20 s for the same one that was cut off by leaving the page.
  await hydrated(page);
  // Once it listens for changes, the page asks again; what is under way at signing out would be refused.
  const asked = ['keys/list', 'keys/overview', 'partners/choices'].map((call) => page.waitForResponse(`**/rpc/${call}`));
  await page.goto(`${server.url}/api-keys`);
  await hydrated(page);
  await Promise.all(asked);
  await expect(page.getByRole('row')).toHaveCount(3);
  await expect(page.getByRole('row').filter({ hasText: successor.split('.')[0]! })).not.toContainText('never');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto(`${server.url}/api-keys`);
  await expect(page).toHaveURL(/\/login\?next=/);

  // Each token stood in one answer, which nobody may keep.
  expect(bodies).toHaveLength(2);
  for (const body of bodies) expect(body).toMatch(/\/rpc\/keys\/(issue|rotate) no-store$/);
  expect(complaints).toEqual([]);
});

test('what was typed stays when it is refused', async ({ page, server }) => {
  await signIn(page, server);
  await hydrated(page);
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Generate New Key' });
  await dialog.getByLabel('Name (optional)').fill('Kept');
  await dialog.getByLabel('Rate / min').fill('10001');
  await dialog.getByLabel('assets:read').uncheck();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('must be a whole number from 1 to 10000')).toBeVisible();
  await expect(dialog.getByText('must name at least one scope')).toBeVisible();
  await expect(dialog.getByText('must name the partner')).toBeVisible();
  await expect(dialog.getByLabel('Name (optional)')).toHaveValue('Kept');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('two clicks make one key', async ({ page, server }) => {
  const partner = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'admin:*']).trim();
  await openConsole(page, server);
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByRole('button', { name: 'Create Key' }).dblclick();
  await revealedToken(page);
  await page.getByRole('button', { name: 'I have stored it' }).click();
  const keys = await server.call('GET', '/api/admin/api-keys', partner);
  expect(keys.body.keys).toHaveLength(2);
});

test('wrong credentials are said beside the form, which keeps the address', async ({ page, server }) => {
  await page.goto(`${server.url}/login`);
  await hydrated(page);
  await page.getByLabel('Email').fill('nobody@example.com');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('E-mail or password is wrong');
  await expect(page.getByLabel('Email')).toHaveValue('nobody@example.com');
  expect(page.url()).not.toContain('nobody');
});
