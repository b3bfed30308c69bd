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

// WCAG 2.2, 1.4.10: 320 px, which is also 1280 px at 400 %. Names may go from right to left.
test('no page scrolls sideways at 320 px, whatever the names are', async ({ page, server }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  const partner = 'شركة الأمانة للحفظ والتوثيق والمراجعة الدورية';
  const key = server.cli(['key', 'issue', '--partner', partner, '--scope', 'transfer:execute', 'status:update', 'audit:read']).split('.')[0]!;
  server.cli(['key', 'issue', '--partner', 'Averylongnamewithoutanyspacethatcouldbreak'.repeat(3), '--scope', 'assets:read']);
  server.cli(['key', 'rotate', key, '--grace', '86400', '--grace-starts', 'first_use']);
  server.addPartners(60);
  await signIn(page, server);
  for (const path of ['/api-keys', `/api-keys/${key}`, '/partners', '/audit', '/settings', '/styleguide']) {
    await page.goto(server.url + path);
    await hydrated(page);
    expect(await overflow(page), path).toBe(0);
  }
  await page.goto(`${server.url}/api-keys`);
  await hydrated(page);
  await page.getByRole('combobox', { name: 'Partner filter' }).tap();
  await page.getByRole('listbox').getByRole('option').first().waitFor();
  expect(await overflow(page)).toBe(0);
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).tap();
  expect(await overflow(page)).toBe(0);
});
