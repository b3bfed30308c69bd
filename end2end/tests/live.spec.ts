// What others do shows in an open tab as it happens, without taking the reader's place.

import { expect, hydrated, openConsole, signIn, test } from './server';

test('what others do shows within two seconds and leaves everything in its place', async ({ page, server, complaints }) => {
  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).trim();
  server.addKeys(30);
  const target = token.split('.')[0]!;
  await openConsole(page, server);
  const row = page.getByRole('row', { name: new RegExp(target) });
  await expect(row).toContainText('never used');
  const soon = { timeout: 2_000 };

  // A first use.
  expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  await expect(row).not.toContainText('never used', soon);

  // Rows that stay the same are the same elements; a selection and the focus in them stay.
  const other = page.getByRole('row').filter({ hasText: 'mpk_000000000020' });
  await other.evaluate((element) => {
    (element as any).mark = 'same';
    const text = element.querySelector('code')!.firstChild!;
    getSelection()!.setBaseAndExtent(text, 0, text, 8);
  });
  const offset = async () => other.evaluate((element) => Math.round(element.getBoundingClientRect().top));
  await other.scrollIntoViewIfNeeded();
  const before = await offset();
  const made = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'reverify']).split('.')[0]!;
  await expect(page.getByRole('row', { name: new RegExp(made) })).toBeAttached(soon);
  expect(await other.evaluate((element) => (element as any).mark)).toBe('same');
  expect(await page.evaluate(() => getSelection()!.toString())).toBe('mpk_0000');
  expect(Math.abs((await offset()) - before)).toBeLessThanOrEqual(1);

  // An open dialog stays open, with what was typed.
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await page.getByLabel('Name (optional)').fill('half typed');
  server.cli(['key', 'revoke', target]);
  await expect(row).toContainText('revoked', soon);
  await expect(page.getByLabel('Name (optional)')).toHaveValue('half typed');
  await page.getByRole('button', { name: 'Cancel' }).click();
  // Who has given the focus to nothing reads on: it goes to no button that was pressed before.
  await expect(page.getByRole('button', { name: 'Generate New Key' })).toBeFocused();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const more = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'reverify']).split('.')[0]!;
  await expect(page.getByRole('row', { name: new RegExp(more) })).toBeAttached(soon);
  await page.waitForTimeout(600);
  expect(await page.evaluate(() => document.activeElement!.tagName)).toBe('BODY');
  // The numbers follow.
  await expect(page.getByLabel('Status filter').locator('option')).toContainText(['revoked (1)']);
  expect(complaints).toEqual([]);
});

test('the stream ends with the session, and a hidden page has none', async ({ page, server, request }) => {
  await openConsole(page, server);
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const anonymous = await request.get(`${server.url}/live`, { headers: { Cookie: '' } });
  expect(anonymous.status()).toBe(401);
  const stream = await fetch(`${server.url}/live`, { headers: { Cookie: cookie } });
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  expect(stream.headers.get('cache-control')).toBe('no-store');
  expect(stream.headers.get('x-accel-buffering')).toBe('no');
  const reader = stream.body!.getReader();
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('event: changed');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  const ended = async () => {
    for (;;) if ((await reader.read()).done) return 'ended';
  };
  expect(await Promise.race([ended(), new Promise((resolve) => setTimeout(resolve, 8_000))])).toBe('ended');
});

test('a page whose session ends says so by itself and shows no more', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  await hydrated(page);
  await expect(page.getByRole('cell', { name: 'Acme' }).first()).toBeVisible();
  server.cli(['operator', 'end-sessions', '--all']);
  await expect(page.getByRole('alert').filter({ hasText: 'You are signed out' })).toBeVisible({ timeout: 10_000 });
  await expect(page.getByRole('cell', { name: 'Acme' })).toHaveCount(0);
});

test('a stream that a proxy refuses is asked for again', async ({ page, server }) => {
  await signIn(page, server);
  await page.route('**/live', (route) => route.fulfill({ status: 502, body: '' }));
  const refused = page.waitForRequest('**/live');
  await page.goto(`${server.url}/api-keys`);
  expect((await (await refused).response())!.status()).toBe(502);
  await page.unroute('**/live');
  await page.waitForRequest('**/live', { timeout: 10_000 });
  const made = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).split('.')[0]!;
  await expect(page.getByText(made)).toBeVisible({ timeout: 10_000 });
});

test('a server that stops does not wait for open tabs', async ({ page, server }) => {
  await openConsole(page, server);
  await hydrated(page);
  await page.waitForTimeout(500);
  const begun = Date.now();
  await server.stop();
  expect(Date.now() - begun).toBeLessThan(5_000);
  // Back again, the tab hears of what happened meanwhile.
  const made = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).split('.')[0]!;
  await server.start(Number(new URL(page.url()).port));
  await expect(page.getByText(made)).toBeVisible({ timeout: 15_000 });
});

test("a key's page follows, and keeps what is open and marked", async ({ page, server, complaints }) => {
  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).trim();
  const id = token.split('.')[0]!;
  expect((await server.call('GET', '/api/key', token)).status).toBe(200);
  await openConsole(page, server, `/api-keys/${id}`);
  await expect(async () => {
    await page.reload();
    await expect(page.getByText('As a table').first()).toBeVisible({ timeout: 500 });
  }).toPass();
  await hydrated(page);
  await page.getByText('As a table').first().click();
  const cell = page.getByRole('columnheader', { name: 'Hour (UTC)' });
  await cell.evaluate((element) => getSelection()!.selectAllChildren(element));
  server.cli(['key', 'rotate', id, '--grace', '3600']);
  const soon = { timeout: 2_000 };
  await expect(page.getByRole('region', { name: 'Lineage' }).getByRole('listitem').filter({ hasText: 'mpk_' })).toHaveCount(2, soon);
  await expect(page.getByRole('button', { name: `Grace ${id}` })).toBeVisible();
  await expect(cell).toBeVisible();
  expect(await page.evaluate(() => getSelection()!.toString())).toBe('Hour (UTC)');
  expect(complaints).toEqual([]);
});
