// A key's own page, and the ways to a key: type-ahead, sorting, the numbers at a glance.

import { expect, hydrated, openConsole, test } from './server';

test("a key's page shows its use, its lineage and its events, and changes it", async ({ page, server, complaints }) => {
  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).trim();
  const old = token.split('.')[0]!;
  expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  const next = server.cli(['key', 'rotate', old, '--grace', '3600']).split('.')[0]!;
  expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  await openConsole(page, server);
  await expect(page.getByRole('row', { name: new RegExp(old) })).toContainText('retiring');
  await page.getByRole('link', { name: old }).click();
  await expect(page).toHaveURL(`${server.url}/api-keys/${old}`);
  await expect(page.getByRole('heading', { level: 1, name: old })).toBeVisible();
  // Uses are written in batches, a second apart.
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole('img', { name: 'Last 48 hours: 2 accepted, 0 rate-limited, 0 refused.' })).toBeVisible({ timeout: 500 });
  }).toPass();
  await hydrated(page);
  const lineage = page.getByRole('region', { name: 'Lineage' });
  await expect(lineage.getByRole('listitem').filter({ hasText: 'mpk_' })).toHaveCount(2);
  await expect(page.getByText(/issued the key/).first()).toBeVisible();
  await lineage.getByRole('link', { name: next }).click();
  await expect(page.getByRole('heading', { level: 1, name: next })).toBeVisible();

  await page.getByRole('button', { name: `Edit ${next}` }).click();
  const dialog = page.getByRole('dialog', { name: 'Edit key' });
  await dialog.getByLabel('Name (optional)').fill('Warehouse');
  await dialog.getByLabel('Rate / min').fill('0');
  await dialog.getByLabel('Not After (optional)').fill('2099-01-01T12:00');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(dialog.getByText('It must be a whole number from 1 to 10000.')).toBeVisible();
  await expect(dialog.getByLabel('Name (optional)')).toHaveValue('Warehouse');
  await dialog.getByLabel('Rate / min').fill('77');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('status').filter({ hasText: `${next} is saved.` })).toBeVisible();
  await expect(page.getByText('Warehouse').first()).toBeVisible();
  await expect(page.locator('dl').first()).toContainText('77');

  // A longer life must keep to the policy, a shorter one need not.
  server.cli(['policy', 'set', '--max-lifetime', '90']);
  await page.getByRole('button', { name: `Edit ${next}` }).click();
  await dialog.getByLabel('Not After (optional)').fill('2099-06-01T12:00');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(dialog.locator('#edit-not-after-note')).toContainText('90 days');
  await dialog.getByLabel('Not After (optional)').fill('2098-06-01T12:00');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('status').filter({ hasText: `${next} is saved.` })).toBeVisible();
  await page.goto(`${server.url}/api-keys/mpk_nobody`);
  await expect(page.getByRole('alert')).toContainText(/no key has this id/i);
  expect(complaints.filter((text) => !/ 40[04] /.test(text))).toEqual([]);
});

test('of many partners those are offered that fit what is typed', async ({ page, server, complaints }) => {
  server.addPartners(120);
  const key = server.cli(['key', 'issue', '--partner', 'Zeta & Sons', '--scope', 'assets:read']).split('.')[0]!;
  server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'assets:read']);
  const answers: string[] = [];
  page.on('response', async (response) => {
    if (response.url().endsWith('/rpc/partners/choices')) answers.push(await response.text().catch(() => ''));
  });
  await openConsole(page, server);
  const filter = page.getByRole('combobox', { name: 'Partner filter' });
  await expect(filter).toHaveValue('All partners');
  await filter.focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('option').first()).toHaveText('All partners');
  await expect(filter).toHaveAttribute('aria-expanded', 'true');
  await filter.fill('zeta');
  await expect(page.getByRole('listbox').getByRole('option')).toHaveText(['Zeta & Sons']);
  await expect(filter).toHaveAttribute('aria-activedescendant', /option-0$/);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\?partnerId=[0-9a-f-]{36}$/);
  await expect(page.getByText('1 key on this page')).toBeVisible();
  await expect(page.getByText(key)).toBeVisible();
  await expect(filter).toHaveValue('Zeta & Sons');
  await expect(filter).toBeFocused();
  // Giving up leaves what was chosen.
  await filter.fill('oth');
  await expect(page.getByRole('listbox').getByRole('option')).toHaveText(['Other']);
  await page.keyboard.press('Escape');
  await expect(filter).toHaveValue('Zeta & Sons');
  await filter.fill('oth');
  await page.getByRole('listbox').getByRole('option', { name: 'Other' }).click();
  await expect(filter).toHaveValue('Other');
  await page.goBack();
  await expect(filter).toHaveValue('Zeta & Sons');
  await page.reload();
  await hydrated(page);
  await expect(filter).toHaveValue('Zeta & Sons');
  await filter.click();
  await page.getByRole('listbox').getByRole('option', { name: 'All partners' }).click();
  await expect(page).toHaveURL(`${server.url}/api-keys`);
  // No answer has held all of them.
  for (const answer of answers) expect(answer.split('partner_id').length).toBeLessThanOrEqual(53);
  expect(complaints).toEqual([]);
});

test('keys are sorted by their columns, also without WASM', async ({ page, server }) => {
  const first = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read', '--not-after', '2098-01-01T00:00:00Z']).split('.')[0]!;
  const second = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read', '--not-after', '2099-01-01T00:00:00Z']).split('.')[0]!;
  await openConsole(page, server);
  const ids = async () => page.locator('td[data-label="Key ID"] code').allInnerTexts();
  const header = page.getByRole('columnheader', { name: 'Expires' });
  await expect.poll(ids).toEqual([second, first]);
  await header.getByRole('link').click();
  await expect(page).toHaveURL(`${server.url}/api-keys?sort=notAfter`);
  await expect.poll(ids).toEqual([first, second]);
  await expect(page.getByRole('columnheader', { name: 'Expires' })).toHaveAttribute('aria-sort', 'ascending');
  await header.getByRole('link').click();
  await expect.poll(ids).toEqual([second, first]);
  await page.getByLabel('Sort by').selectOption('Oldest first');
  await expect(page).toHaveURL(`${server.url}/api-keys?sort=createdAt`);
  await expect.poll(ids).toEqual([first, second]);
  await expect(page.getByLabel('Status filter').locator('option')).toContainText(['Any status', 'scheduled (0)', 'active (2)']);
  await page.route('**/*.wasm', (route) => route.abort());
  await page.goto(`${server.url}/api-keys`);
  await page.getByRole('columnheader', { name: 'Expires' }).getByRole('link').click();
  await expect(page).toHaveURL(`${server.url}/api-keys?sort=notAfter`);
  expect(await ids()).toEqual([first, second]);
});
