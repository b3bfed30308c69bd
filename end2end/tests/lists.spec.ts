// Filters, search and pages: in the URL, right under Back and Forward, and never an older answer
// over a newer one.

import type { Request } from '@playwright/test';
import { choose, expect, openConsole, test } from './server';

test('filters, search and page stand in the URL, and Back and Forward follow them', async ({ page, server, complaints }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  server.addKeys(60);
  const other = server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'reverify']).split('.')[0]!;
  await openConsole(page, server);
  await expect(page.getByText('50 keys on this page')).toBeVisible();

  const filter = page.getByRole('combobox', { name: 'Partner filter' });
  await filter.click();
  await expect(page.getByRole('listbox').getByRole('option').first()).toHaveText('All partners');
  await choose(filter, 'Other');
  await expect(page).toHaveURL(/\/api-keys\?partnerId=[0-9a-f-]{36}$/);
  await expect(page.getByText('1 key on this page')).toBeVisible();
  // The field is still the one that has the focus.
  await expect(filter).toBeFocused();
  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('revoked');
  await expect(page.getByText('No key matches this filter.')).toBeVisible();
  await expect(page).toHaveURL(/partnerId=[0-9a-f-]{36}&status=revoked$/);

  await page.goBack();
  await expect(page.getByText(other)).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Status filter' })).toHaveValue('');
  await page.goBack();
  await expect(page.getByText('50 keys on this page')).toBeVisible();
  await expect(filter).toHaveValue('All partners');
  await page.goForward();
  await expect(page.getByText('1 key on this page')).toBeVisible();
  await expect(filter).toHaveValue('Other');
  await page.goBack();
  // The link leads somewhere once the longer list is back.
  await expect(page.getByText('50 keys on this page')).toBeVisible();

  await page.getByRole('link', { name: 'Next page' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByText('12 keys on this page')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Next page' })).toBeFocused();
  await expect(page).toHaveURL(/cursor=[A-Za-z0-9_-]+$/);
  for (const label of ['Partner filter', 'Status filter', 'Search keyId or partner name']) {
    await expect(page.getByLabel(label, { exact: true })).toHaveCount(1);
  }
  await page.reload();
  await expect(page.getByText('12 keys on this page')).toBeVisible();
  await page.getByRole('link', { name: 'Previous page' }).click();
  await expect(page.getByText('50 keys on this page')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Previous page' })).toBeDisabled();
  // A filter begins at its first page.
  await page.getByRole('link', { name: 'Next page' }).click();
  await expect(page).toHaveURL(/cursor=/);
  await choose(filter, 'Other');
  await expect(page).not.toHaveURL(/cursor=/);
  // A view opens as it was left.
  await page.goto(`${server.url}/api-keys?q=${other.slice(-6)}&status=active`);
  await expect(page.getByText('1 key on this page')).toBeVisible();
  await expect(page.getByRole('searchbox')).toHaveValue(other.slice(-6));
  await expect(page.getByRole('combobox', { name: 'Status filter' })).toHaveValue('active');
  expect(complaints).toEqual([]);
});

test('typing asks once a pause, Enter at once, and the history keeps no letters', async ({ page, server }) => {
  // What others do would be asked for, too.
  await page.route('**/live', (route) => route.abort());
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'assets:read']);
  await openConsole(page, server);
  const asked: string[] = [];
  page.on('request', (request: Request) => {
    if (request.url().endsWith('/rpc/keys/list')) asked.push(request.postDataJSON().query.q ?? '');
  });
  const search = page.getByRole('searchbox', { name: 'Search keyId or partner name' });
  await search.pressSequentially('oth', { delay: 60 });
  await expect(page).toHaveURL(/\?q=oth$/);
  await expect(page.getByRole('row').filter({ hasText: 'Acme' })).toHaveCount(0);
  await search.pressSequentially('er', { delay: 60 });
  await expect(page).toHaveURL(/\?q=other$/);
  await expect(search).toHaveValue('other');
  expect(asked).toEqual(['oth', 'other']);
  await page.goBack();
  await expect(page).toHaveURL(/\/api-keys$/);
  await expect(search).toHaveValue('');
  await expect(page.getByRole('row').filter({ hasText: 'Acme' })).toBeVisible();
  asked.length = 0;
  await search.fill('acme');
  await search.press('Enter');
  await expect(page.getByRole('row').filter({ hasText: 'Other' })).toHaveCount(0);
  // What is searched for goes along with a choice.
  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('active');
  await expect(page).toHaveURL(/\?q=acme&status=active$/);
  await page.waitForTimeout(600);
  expect(asked).toEqual(['acme', 'acme']);
});

test('a slow older answer never overwrites a newer one', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'xaver', '--scope', 'assets:read']);
  server.cli(['key', 'issue', '--partner', 'xylo', '--scope', 'assets:read']);
  await openConsole(page, server);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let answered = () => {};
  const oldAnswered = new Promise<void>((resolve) => (answered = resolve));
  await page.route('**/rpc/keys/list', async (route) => {
    if (route.request().postDataJSON().query.q === 'x') {
      await held;
      await route.continue();
      answered();
    } else {
      await route.continue();
    }
  });
  const search = page.getByRole('searchbox', { name: 'Search keyId or partner name' });
  await search.fill('x');
  await expect(page).toHaveURL(/\?q=x$/);
  // Long work shows that it is working.
  await expect(page.locator('.list')).toHaveAttribute('aria-busy', 'true');
  await search.fill('xy');
  await expect(page.getByText('1 key on this page')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'xaver' })).toHaveCount(0);
  await expect(page.locator('.list')).toHaveAttribute('aria-busy', 'false');
  release();
  await oldAnswered;
  await page.waitForTimeout(500);
  await expect(page.getByText('1 key on this page')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'xaver' })).toHaveCount(0);
});

test('a list that fails says so, keeps the filter, and can be asked again', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  await page.route('**/rpc/keys/list', (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }));
  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('active');
  await expect(page.getByRole('alert')).toContainText('can\'t answer right now');
  await expect(page.getByText('No key matches')).toHaveCount(0);
  await page.unroute('**/rpc/keys/list');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('1 key on this page')).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Status filter' })).toHaveValue('active');
});

test('times are relative, with the exact one on hover and focus', async ({ page, server }) => {
  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read', '--not-after', '2090-03-04T05:06:07Z']).trim();
  await server.call('GET', '/api/key', token);
  await openConsole(page, server);
  const row = page.getByRole('row').filter({ hasText: 'Acme' });
  await expect(row).toContainText(/in 6\d years/);
  // In the reader's zone and words, with UTC beside it.
  const exact = row.getByText(/4 Mar 2090, 07:06:07 (EET|GMT\+2) · *2090-03-04 05:06:07 UTC/);
  await expect(exact).toBeHidden();
  await row.locator('time').first().hover();
  await expect(exact).toBeVisible();
  await page.mouse.move(0, 0);
  await expect(exact).toBeHidden();
  await row.locator('time').first().focus();
  await expect(exact).toBeVisible();
});

test('a list that is come to by a link and gets no answer says so, and is read again', async ({ page, server }) => {
  await page.route('**/live', (route) => route.abort());
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server, '/partners');
  await page.route('**/rpc/keys/list', (route) => route.abort());
  await page.getByRole('link', { name: 'API Keys / Rotation' }).click();
  // Nothing was ordered, so nothing can have been done.
  await expect(page.getByRole('alert')).not.toContainText('whether that was done');
  await page.unroute('**/rpc/keys/list');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'Acme' })).toBeVisible();
});

test.describe('for a reader of another language', () => {
  test.use({ locale: 'de-DE' });

  test('numbers are written as the reader writes them', async ({ page, server }) => {
    server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
    server.addKeys(1_233);
    await openConsole(page, server);
    await expect(page.getByRole('link', { name: /^Active/ })).toContainText('1.234');
    await expect(page.getByRole('combobox', { name: 'Status filter' })).toContainText('active (1.234)');
    await page.goto(`${server.url}/partners`);
    await expect(page.getByRole('link', { name: '1.234 active keys of Acme' })).toHaveText('1.234');
  });
});
