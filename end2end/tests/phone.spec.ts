// The same journeys at the width of a phone, by touch.

import { expect, hydrated, openIssueDialog, overflow, revealedToken, signIn, test } from './server';

test.use({ viewport: { width: 375, height: 812 }, hasTouch: true, isMobile: true });

test('a key is issued, rotated and revoked on a phone', async ({ page, server, complaints }) => {
  server.cli(['key', 'issue', '--partner', 'A partner with a name of some length', '--scope', 'transfer:execute', 'status:update']);
  await signIn(page, server);
  await hydrated(page);
  expect(await overflow(page)).toBe(0);
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  const dialog = await openIssueDialog(page, 'A partner with a name of some length');
  expect(await overflow(page)).toBe(0);
  await dialog.getByRole('button', { name: 'Create Key' }).tap();
  const token = await revealedToken(page);
  expect(await overflow(page)).toBe(0);
  await page.getByRole('button', { name: 'I have stored it' }).tap();
  const row = page.getByRole('row').filter({ hasText: token.split('.')[0]! });
  await row.getByRole('button', { name: 'Rotate' }).tap();
  await page.getByLabel('The old key stops working').selectOption('After 7 days');
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).tap();
  const successor = await revealedToken(page);
  await page.getByRole('button', { name: 'I have stored it' }).tap();
  await expect(row).toContainText('retiring');
  await row.getByRole('button', { name: 'Revoke' }).tap();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).tap();
  await expect(row).toContainText('revoked');
  expect((await server.call('GET', '/api/key', successor)).status).toBe(200);
  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('revoked');
  await expect(page.getByText('1 key on this page')).toBeVisible();
  await page.getByRole('link', { name: 'Partners' }).tap();
  await page.getByRole('button', { name: /^Deactivate/ }).tap();
  expect(await overflow(page)).toBe(0);
  await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).tap();
  await expect(page.getByRole('row').filter({ hasText: 'A partner' })).toContainText('deactivated');
  expect((await server.call('GET', '/api/key', successor)).status).toBe(401);
  expect(complaints).toEqual([]);
});
