// The policy of key ages: set in the settings, seen on the tab, rotated together.

import { AUDITOR, choose, expect, hydrated, openConsole, PASSWORD, signIn, test } from './server';

test('a policy makes old keys due, and they are rotated together', async ({ page, server, complaints }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  server.addKeys(3);
  server.age('Acme', 40);
  server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'assets:read']);
  await openConsole(page, server);
  const glance = page.getByRole('navigation', { name: 'Keys at a glance' });
  await expect(glance.getByRole('link', { name: /Rotation due 0/ })).toBeVisible();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByLabel('Maximum key age (days)').fill('0');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByText('It must be a whole number from 1 to 3650.')).toBeVisible();
  await expect(page.getByLabel('Maximum key age (days)')).toBeFocused();
  await page.getByLabel('Maximum key age (days)').fill('30');
  await page.getByLabel('Stale after (days without use)').fill('35');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The policy is saved.' })).toBeVisible();
  await expect(page.getByLabel('Maximum key age (days)')).toHaveValue('30');

  await page.getByRole('link', { name: 'API Keys / Rotation' }).click();
  await expect(glance.getByRole('link', { name: /Stale 4/ })).toBeVisible();
  await glance.getByRole('link', { name: /Rotation due 4/ }).click();
  await expect(page).toHaveURL(`${server.url}/api-keys?rotationDue=true`);
  const rows = page.getByRole('row').filter({ hasText: 'mpk_' });
  await expect(rows).toHaveCount(4);
  await expect(rows.filter({ hasText: 'rotation due' })).toHaveCount(4);

  await page.getByRole('button', { name: 'Bulk actions' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Only keys that are due for rotation')).toBeChecked();
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog.getByText('4 keys will get a successor')).toBeVisible();
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog', { name: 'New tokens' }).waitFor();
  await page.getByRole('button', { name: 'I have stored them' }).click();
  await expect(page.getByText('No key matches this filter.')).toBeVisible();
  await page.getByRole('link', { name: /Show all/ }).click();
  await expect(rows).toHaveCount(9);
  expect(complaints).toEqual([]);
});

test('a partner has an age of its own, and a lifetime is asked of new keys', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  server.cli(['policy', 'set', '--max-lifetime', '90']);
  await openConsole(page, server, '/partners');
  await page.getByRole('button', { name: 'Edit Acme' }).click();
  await page.getByLabel('Maximum key age (days, optional)').fill('7');
  const listed = page.waitForResponse('**/rpc/partners/list');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Acme is saved.' })).toBeVisible();
  await listed;
  await page.getByRole('button', { name: 'Edit Acme' }).click();
  await expect(page.getByLabel('Maximum key age (days, optional)')).toHaveValue('7');
  await page.getByRole('button', { name: 'Cancel' }).click();
  server.age('Acme', 8);
  await page.getByRole('link', { name: 'API Keys / Rotation' }).click();
  await expect(page.getByRole('link', { name: /Rotation due 1/ })).toBeVisible();
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await choose(page.getByRole('combobox', { name: 'Partner', exact: true }), 'Acme');
  await page.getByRole('button', { name: 'Create Key' }).click();
  await expect(page.getByRole('dialog').getByText(/the policy lets a key live for 90 days at most/)).toBeVisible();
  await expect(page.getByLabel('Not After (optional)')).toBeFocused();
});

test('an auditor sees the policy and can change nothing', async ({ page, server }) => {
  server.cli(['operator', 'create', '--email', AUDITOR, '--role', 'auditor', '--password-stdin'], PASSWORD);
  await signIn(page, server, AUDITOR);
  await page.goto(`${server.url}/settings`);
  await hydrated(page);
  await expect(page.getByLabel('Maximum key age (days)')).toBeDisabled();
  await expect(page.getByRole('button', { name: 'Save policy' })).toHaveCount(0);
});
