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

  // What would reveal a token is disabled, since its answer would be lost, and a line says so.
  await expect(page.getByText('Issuing and rotating a key needs JavaScript')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Generate New Key' })).toBeDisabled();
  for (const button of await page.getByRole('button', { name: /^(Rotate|Revoke)/ }).all()) await expect(button).toBeDisabled();

  await page.getByRole('combobox', { name: 'Partner filter' }).selectOption('Other');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText(otherId)).toBeVisible();
  await expect(page.getByText(adminId)).toHaveCount(0);
  await page.getByRole('searchbox', { name: 'Search keyId or partner name' }).fill('nothing like it');
  await page.keyboard.press('Enter');
  await expect(page.getByText('No key matches this filter.')).toBeVisible();

  await page.getByRole('combobox', { name: 'Partner filter' }).selectOption('All partners');
  await page.getByRole('searchbox').fill('');
  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('active');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText(adminId)).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Status filter' })).toHaveValue('active');

  await page.getByRole('link', { name: 'Partners' }).click();
  await page.getByRole('searchbox', { name: 'Search partner name' }).fill('oth');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('row').filter({ hasText: 'Other' })).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'Acme' })).toHaveCount(0);
  await page.getByRole('link', { name: '1 active keys of Other' }).click();
  await expect(page.getByText(otherId)).toBeVisible();
  await expect(page.getByText(adminId)).toHaveCount(0);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(`${server.url}/api-keys`);
  await expect(page).toHaveURL(/\/login/);
});

test('pages lead on and back without JavaScript', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  server.addKeys(119);
  await signIn(page, server);
  const first = await page.getByRole('row').nth(1).innerText();
  await expect(page.getByRole('link', { name: 'Previous page' })).toBeDisabled();
  await page.getByRole('link', { name: 'Next page' }).click();
  await page.getByRole('link', { name: 'Next page' }).click();
  await expect(page.getByText('20 keys on this page')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Next page' })).toBeDisabled();
  await page.getByRole('link', { name: 'Previous page' }).click();
  await page.getByRole('link', { name: 'Previous page' }).click();
  expect(await page.getByRole('row').nth(1).innerText()).toBe(first);
});
