// JavaScript runs, but the WASM never comes: everything reads, nothing reveals a token.

import { EMAIL, expect, hydrated, openConsole, PASSWORD, signIn, test } from './server';

test('without WASM the console reads, and says why issuing waits', async ({ page, server }) => {
  const keyId = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).split('.')[0]!;
  await page.route('**/*.wasm', (route) => route.abort());
  await signIn(page, server);
  await expect(page.getByText(keyId)).toBeVisible();
  await expect(page.getByText('Issuing and rotating a key needs JavaScript')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Generate New Key' })).toBeDisabled();
  await expect(page.getByRole('button', { name: `Rotate ${keyId}` })).toBeDisabled();
  await page.getByRole('searchbox').fill('nothing like it');
  await page.keyboard.press('Enter');
  await expect(page.getByText('No key matches this filter.')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
});

test('a form post to what reveals a token makes nothing', async ({ page, server }) => {
  const admin = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'admin:*']).trim();
  const own = (await server.call('GET', '/api/key', admin)).body.key;
  await signIn(page, server);
  const status = await page.evaluate(async ([partnerId, keyId]) => {
    const post = async (path: string, body: string) =>
      (await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body })).status;
    return [
      await post('/rpc/keys/issue', `input[partnerId]=${partnerId}&input[scopes][0]=assets:read`),
      await post('/rpc/keys/rotate', `key_id=${keyId}&input[graceSeconds]=0`),
    ];
  }, [own.partnerId, own.keyId]);
  expect(status).toEqual([415, 415]);
  expect((await server.call('GET', '/api/admin/api-keys', admin)).body.keys).toHaveLength(1);
});

test('the cookie can\'t be read by scripts, and another site can\'t write with it', async ({ page, server, context }) => {
  await signIn(page, server);
  expect(await page.evaluate(() => document.cookie)).toBe('');
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' });
  // From another origin of this machine, with a form as such a site would use it.
  const other = server.url.replace('127.0.0.1', 'localhost');
  await page.route(`${other}/form`, (route) => route.fulfill({
    contentType: 'text/html',
    body: `<form method="post" action="${server.url}/rpc/session/sign-in"><input name="email" value="${EMAIL}"><input name="password" value="${PASSWORD}"><button>go</button></form>`,
  }));
  await page.goto(`${other}/form`);
  const answer = page.waitForResponse('**/rpc/session/sign-in');
  await page.getByRole('button', { name: 'go' }).click();
  expect((await answer).status()).toBe(403);
});

test('what loads later and does not come is said, and asked for again', async ({ page, server }) => {
  const id = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).split('.')[0]!;
  await page.route('**/split_*.wasm', (route) => route.abort());
  await openConsole(page, server);
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Not loaded' });
  await expect(dialog).toContainText('could not be loaded');
  await expect(dialog.getByRole('button', { name: 'Reload the page' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: 'Generate New Key' })).toBeFocused();
  // Another page, gone to from this one.
  await page.getByRole('link', { name: 'Partners' }).click();
  await expect(page.getByRole('alert')).toContainText('could not be loaded');
  // As the server draws it, it reads without the file.
  await page.goto(`${server.url}/api-keys/${id}`);
  await expect(page.getByRole('heading', { name: id })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Lineage' })).toContainText(id);
  // The connection is back, and the next use asks again.
  await page.goto(`${server.url}/api-keys`);
  await hydrated(page);
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await page.unroute('**/split_*.wasm');
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await expect(page.getByRole('dialog', { name: 'Generate New Key' })).toBeVisible();
});

test('after an upgrade the first files are not taken from the cache', async ({ server, request }) => {
  const page = await (await request.get(`${server.url}/login`)).text();
  const names = [...new Set(page.match(/\/pkg\/[^"' ]+\.(?:js|wasm)/g)!)].filter((name) => !/chunk|split_/.test(name));
  expect(names).toHaveLength(3);
  for (const name of names) {
    const first = await request.get(server.url + name);
    expect(first.headers()['cache-control'], name).toBe('no-cache');
    const again = await request.get(server.url + name, { headers: { 'If-None-Match': first.headers()['etag']! } });
    expect(again.status(), name).toBe(304);
  }
});
