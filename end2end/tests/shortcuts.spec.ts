// Shortcuts: listed by `?`, silent while one types or a dialog is open, and switched off for good.

import { expect, hydrated, openConsole, test } from './server';

test('shortcuts spare the pointer, and can be switched off', async ({ page, server, complaints }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  server.addKeys(3);
  await openConsole(page, server);
  const links = page.locator('td[data-label="Key ID"] a');
  await page.keyboard.press('j');
  await expect(links.nth(0)).toBeFocused();
  await page.keyboard.press('j');
  await expect(links.nth(1)).toBeFocused();
  await page.keyboard.press('k');
  await expect(links.nth(0)).toBeFocused();
  // From a button in a row, too.
  await page.getByRole('button', { name: /^Revoke mpk/ }).nth(2).focus();
  await page.keyboard.press('j');
  await expect(links.nth(3)).toBeFocused();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('nj?');
  await expect(page.getByRole('searchbox')).toHaveValue('nj?');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('searchbox').fill('');
  await page.getByRole('heading', { level: 1 }).focus();
  await page.keyboard.press('n');
  await expect(page.getByRole('dialog', { name: 'Generate New Key' })).toBeVisible();
  await page.getByRole('checkbox', { name: 'reverify' }).focus();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Generate New Key' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Generate New Key' })).toBeFocused();

  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(dialog).toContainText('Go to the next row');
  await dialog.getByLabel('Use shortcuts in this browser').uncheck();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.reload();
  await hydrated(page);
  await page.keyboard.press('?');
  await page.keyboard.press('j');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(links.nth(0)).not.toBeFocused();
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await expect(dialog.getByLabel('Use shortcuts in this browser')).not.toBeChecked();
  await dialog.getByLabel('Use shortcuts in this browser').check();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await expect(dialog).toBeVisible();
  expect(complaints).toEqual([]);
});
