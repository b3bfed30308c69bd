// How keys end: a grace that waits for the first use, ended or extended; a revocation undone.

import { expect, openConsole, revealedToken, test } from './server';

test('a grace waits for the first use, tells of traffic, is extended and ended', async ({ page, server }) => {
  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).trim();
  const keyId = token.split('.')[0]!;
  await openConsole(page, server);
  const row = page.getByRole('row').filter({ has: page.getByRole('cell', { name: keyId }) });
  await row.getByRole('button', { name: 'Rotate' }).click();
  const rotate = page.getByRole('dialog', { name: 'Rotate key' });
  await rotate.getByLabel('Counted from').selectOption("The new key's first use");
  await expect(rotate).toContainText('The old token works until the new one is first used');
  await rotate.getByLabel('The old key stops working').selectOption('After 24 hours');
  await expect(rotate).toContainText('Both tokens work until the new one is first used');
  await rotate.getByRole('button', { name: 'Rotate' }).click();
  const successor = await revealedToken(page);
  const successorId = successor.split('.')[0]!;
  await expect(page.getByRole('dialog')).toContainText("runs from the new one's first use");
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await expect(row).toContainText(`Waits for the first use of ${successorId}; ends in 1 month at the latest.`);
  await expect(row).toContainText('No call since the rotation.');

  // Somebody still calls with the old one, then for the first time with the new one.
  for (const presented of [token, successor]) {
    expect((await server.call('GET', '/api/key', presented)).status).toBe(200);
  }
  await expect(async () => {
    await page.reload();
    await expect(row).toContainText('Still in use: last call', { timeout: 500 });
    await expect(row).toContainText(/in (23 hours|1 day)/, { timeout: 500 });
  }).toPass({ timeout: 10_000 });

  await page.locator('html[data-hydrated="true"]').waitFor();
  const grace = page.getByRole('dialog', { name: 'Change grace' });
  await row.getByRole('button', { name: `Grace ${keyId}` }).click();
  await expect(grace).toContainText(/Ends in (23 hours|1 day)\.Still in use: last call/);
  await grace.getByLabel('The old key stops working').selectOption('After 7 days');
  await grace.getByRole('button', { name: 'Change' }).click();
  await expect(page.getByRole('status').filter({ hasText: `${keyId} stops working at` })).toBeVisible();
  await expect(row).toContainText(/in (6|7) days/);
  await row.getByRole('button', { name: `Grace ${keyId}` }).click();
  await expect(grace.getByLabel('The old key stops working')).toHaveValue('0');
  await grace.getByRole('button', { name: 'Change' }).click();
  await expect(page.getByRole('status').filter({ hasText: `${keyId} has stopped working.` })).toBeVisible();
  await expect(row).toContainText('revoked');
  await expect(row.getByRole('button')).toHaveCount(0);
  expect((await server.call('GET', '/api/key', token)).body.reason).toBe('key_inactive');
  expect((await server.call('GET', '/api/key', successor)).status).toBe(200);
});

test('a revocation is undone, and one for a compromise can not be', async ({ page, server }) => {
  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).trim();
  const keyId = token.split('.')[0]!;
  await openConsole(page, server);
  const row = page.getByRole('row').filter({ has: page.getByRole('cell', { name: keyId }) });
  const revoke = async (reason: string) => {
    await row.getByRole('button', { name: 'Revoke' }).click();
    const dialog = page.getByRole('dialog', { name: 'Revoke key' });
    await dialog.getByLabel('Reason').selectOption(reason);
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await expect(row).toContainText('revoked');
  };
  await revoke('unspecified');
  expect((await server.call('GET', '/api/key', token)).status).toBe(401);
  await row.getByRole('button', { name: `Undo ${keyId}` }).click();
  const undo = page.getByRole('dialog', { name: 'Undo revocation' });
  await undo.getByLabel('Note (optional)').fill('x'.repeat(201));
  await undo.getByRole('button', { name: 'Undo' }).click();
  await expect(undo.getByText('It must have 0 to 200 characters, not 201.')).toBeVisible();
  await undo.getByLabel('Note (optional)').fill('the wrong row');
  await undo.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('status').filter({ hasText: `${keyId} works again.` })).toBeVisible();
  await expect(row).toContainText('active');
  expect((await server.call('GET', '/api/key', token)).status).toBe(200);

  await revoke('key_compromise');
  await expect(row.getByRole('button')).toHaveCount(0);
});
