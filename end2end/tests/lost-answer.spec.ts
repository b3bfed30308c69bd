// An order that makes a token, and whose answer never arrives: the outcome is unknown, is looked
// up, and what was made can be rotated or revoked.

import { expect, openConsole, openIssueDialog, revealedToken, test } from './server';

test('a lost answer to an issue', async ({ page, server }) => {
  const admin = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'admin:*']).trim();
  await openConsole(page, server);
  // The order arrives and is carried out; the answer is lost.
  await page.route('**/rpc/keys/issue', async (route) => {
    await route.fetch();
    await route.abort();
  });
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByLabel('Name (optional)').fill('Lost');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('The outcome is unknown.')).toBeVisible();
  const rotate = dialog.getByRole('button', { name: /^Rotate mpk_/ });
  await expect(rotate).toHaveCount(1);
  const made = (await server.call('GET', '/api/admin/api-keys', admin)).body.keys;
  expect(made).toHaveLength(2);
  await expect(dialog.getByText(made[0].keyId)).toBeVisible();
  // The list behind it was read again.
  await expect(page.locator('tbody tr').filter({ hasText: made[0].keyId })).toHaveCount(1);
  await page.unroute('**/rpc/keys/issue');
  await rotate.click();
  await page.getByRole('dialog', { name: 'Rotate key' }).getByRole('button', { name: 'Rotate' }).click();
  const token = await revealedToken(page);
  await page.getByRole('button', { name: 'I have stored it' }).click();
  expect((await server.call('GET', '/api/key', token)).body.key.name).toBe('Lost');
  const after = (await server.call('GET', '/api/admin/api-keys', admin)).body.keys;
  expect(after.map((key: { status: string }) => key.status)).toEqual(['active', 'revoked', 'active']);
});

test('an order that never arrived: nothing was made, and nothing typed is lost', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  await page.route('**/rpc/keys/issue', (route) => route.abort());
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByLabel('Name (optional)').fill('Kept');
  await dialog.getByLabel('reverify').check();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('The outcome is unknown.')).toBeVisible();
  await expect(dialog.getByText('So far there is no such key.')).toBeVisible();
  await dialog.getByRole('button', { name: 'Check again' }).click();
  await expect(dialog.getByText('So far there is no such key.')).toBeVisible();
  await page.unroute('**/rpc/keys/issue');
  await dialog.getByRole('button', { name: 'Back to the form' }).click();
  await expect(dialog.getByLabel('Name (optional)')).toHaveValue('Kept');
  await expect(dialog.getByLabel('reverify')).toBeChecked();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await revealedToken(page);
});

test('only what the order made is offered', async ({ page, server, context }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  const dialog = await openIssueDialog(page, 'Acme');
  // The same operator issues the same kind of key in another tab, before this order.
  const other = await context.newPage();
  await other.goto(`${server.url}/api-keys`);
  await (await openIssueDialog(other, 'Acme')).getByRole('button', { name: 'Create Key' }).click();
  await revealedToken(other);
  await page.waitForTimeout(50);
  await page.route('**/rpc/keys/issue', (route) => route.abort());
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('So far there is no such key.')).toBeVisible();
  // The keyboard goes on inside the dialog.
  await expect(dialog.getByRole('heading', { name: 'Generate New Key' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('a lost answer to a rotation', async ({ page, server }) => {
  const old = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).trim().split('.')[0]!;
  await openConsole(page, server);
  await page.route('**/rpc/keys/rotate', async (route) => {
    await route.fetch();
    await route.fulfill({ status: 504, contentType: 'text/html', body: 'Gateway timeout' });
  });
  await page.getByRole('button', { name: `Rotate ${old}` }).click();
  const dialog = page.getByRole('dialog', { name: 'Rotate key' });
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await expect(dialog.getByText('The outcome is unknown.')).toBeVisible();
  const revoke = dialog.getByRole('button', { name: /^Revoke mpk_/ });
  await expect(revoke).toHaveCount(1);
  await page.unroute('**/rpc/keys/rotate');
  await revoke.click();
  const asked = page.getByRole('dialog', { name: 'Revoke key' });
  await expect(asked).not.toContainText(old);
  await asked.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'is revoked.' })).toBeVisible();
  await expect(page.locator('tbody tr').filter({ hasText: 'revoked' })).toHaveCount(2);
});

test('an answer that takes too long is as good as none', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  const dialog = await openIssueDialog(page, 'Acme');
  await page.clock.install();
  await page.route('**/rpc/keys/issue', () => undefined);
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  // It shows that it works, and can't be left: its token would be lost.
  await expect(dialog.getByRole('button', { name: 'Creating…' })).toHaveAttribute('aria-busy', 'true');
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeDisabled();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeVisible();
  await page.clock.fastForward(16_000);
  await expect(dialog.getByText('The outcome is unknown.')).toBeVisible();
});
