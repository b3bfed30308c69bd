// The tab "Partners": list, search, create, edit, deactivate.

import { expect, openConsole, test } from './server';

test('a partner is made, changed, deactivated and activated', async ({ page, server, complaints }) => {
  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).trim();
  await openConsole(page, server, '/partners');
  await page.getByRole('button', { name: 'New partner' }).click();
  let dialog = page.getByRole('dialog', { name: 'New partner' });
  await dialog.getByLabel('Contact e-mail (optional)').fill('nobody');
  await dialog.getByRole('button', { name: 'Create partner' }).click();
  await expect(dialog.getByText('It must have 2 to 200 characters, not 0.')).toBeVisible();
  await expect(dialog.getByText('It must be an e-mail address such as ops@example.com.')).toBeVisible();
  await dialog.getByLabel('Partner name').fill('Northwind');
  await dialog.getByLabel('Contact e-mail (optional)').fill('ops@northwind.example');
  await dialog.getByRole('button', { name: 'Create partner' }).click();
  const row = page.getByRole('row').filter({ hasText: 'Northwind' });
  await expect(row).toContainText('ops@northwind.example');
  await expect(page.getByRole('status').filter({ hasText: 'Northwind is saved.' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'New partner' })).toBeFocused();

  await row.getByRole('button', { name: 'Edit' }).click();
  dialog = page.getByRole('dialog', { name: 'Edit partner' });
  await expect(dialog.getByLabel('Partner name')).toHaveValue('Northwind');
  await dialog.getByLabel('Partner name').fill('Northwind Archive');
  await dialog.getByLabel('Contact e-mail (optional)').fill('');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(row).toContainText('Northwind Archive');
  await expect(row).not.toContainText('ops@northwind.example');

  const acme = page.getByRole('row').filter({ hasText: 'Acme' });
  await expect(acme.getByRole('link', { name: '1 active keys of Acme' })).toBeVisible();
  expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  await acme.getByRole('button', { name: 'Deactivate' }).click();
  dialog = page.getByRole('dialog', { name: 'Deactivate partner' });
  await expect(dialog).toContainText('calls with its 1 active key are refused immediately');
  await dialog.getByRole('button', { name: 'Deactivate' }).click();
  await expect(acme).toContainText('deactivated');
  const refused = await server.call('GET', '/api/key', token);
  expect([refused.status, refused.body.reason]).toEqual([401, 'partner_inactive']);

  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('deactivated');
  await expect(page).toHaveURL(/\?active=false$/);
  await expect(row).toHaveCount(0);
  await acme.getByRole('button', { name: 'Activate' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Activate' }).click();
  await expect(page.getByText('No partner matches this filter.')).toBeVisible();
  expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('');
  await page.getByRole('searchbox', { name: 'Search partner name' }).fill('ARCH');
  await expect(page).toHaveURL(/\?q=ARCH$/);
  await expect(row).toBeVisible();
  await expect(acme).toHaveCount(0);
  expect(complaints).toEqual([]);
});

test('a refused change says why and keeps what was typed', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server, '/partners');
  await page.getByRole('button', { name: 'Edit Acme' }).click();
  const dialog = page.getByRole('dialog', { name: 'Edit partner' });
  await dialog.getByLabel('Partner name').fill('Acme Ltd');
  await page.route('**/rpc/partners/update', (route) =>
    route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ ok: false, code: 'unavailable', retryAfter: 7 }) }));
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(dialog.getByRole('alert')).toContainText('try again in 7 s');
  await page.unroute('**/rpc/partners/update');
  await expect(dialog.getByLabel('Partner name')).toHaveValue('Acme Ltd');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'Acme Ltd' })).toBeVisible();
});
