// Reading, filtering, signing in and out work without WASM and without JavaScript.

import { EMAIL, expect, signIn, test } from './server';

test.use({ javaScriptEnabled: false });

test('the console reads and signs in and out without JavaScript', async ({ page, server }) => {
  const admin = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'admin:*']).trim();
  const other = server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'assets:read']).trim();
  const [adminId, otherId] = [admin.split('.')[0]!, other.split('.')[0]!];

  await page.goto(`${server.url}/api-keys?q=${otherId}`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel('Email').fill(EMAIL);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('E-mail or password is wrong');
  expect(page.url()).not.toContain('password=');
  await signIn(page, server);
  await expect(page.getByText(adminId)).toBeVisible();
  await expect(page.getByText(otherId)).toBeVisible();

  // What would reveal a token is disabled: its answer would be lost.
  await expect(page.getByRole('button', { name: 'Generate New Key' })).toBeDisabled();
  for (const button of await page.getByRole('button', { name: /^(Rotate|Revoke)/ }).all()) await expect(button).toBeDisabled();

  await page.getByRole('combobox', { name: 'Partner filter' }).selectOption('Other');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText(otherId)).toBeVisible();
  await expect(page.getByText(adminId)).toHaveCount(0);
  await page.getByRole('searchbox', { name: 'Search keyId or partner name' }).fill('nothing like it');
  await page.keyboard.press('Enter');
  await expect(page.getByText('No key matches this filter.')).toBeVisible();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(`${server.url}/api-keys`);
  await expect(page).toHaveURL(/\/login/);
});
