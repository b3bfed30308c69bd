// Whatever is stored is shown as the text that it is: no field's content becomes markup, script or SQL.

import { expect, hydrated, openConsole, test } from './server';

const MARKUP = `<img src=x onerror="globalThis.owned=1"><script>globalThis.owned=2</script>`;
const BROKEN_OUT = `"'></title></script></svg><svg onload=globalThis.owned=3>`;
const SQL = `'; drop table api_keys; -- %_\\`;
const EACH = [MARKUP, BROKEN_OUT, SQL];

test('markup, script and SQL in every stored field stay text on every page', async ({ page, server, complaints }) => {
  test.setTimeout(120_000);
  const admin = server.cli(['key', 'issue', '--partner', 'Registry staff', '--scope', 'admin:*']).trim();
  const made: string[] = [];
  for (const text of EACH) {
    const partner = await server.call('POST', '/api/admin/partners', admin, { name: text, contactEmail: 'a&b@example.com' });
    expect(partner.status).toBe(201);
    const partnerId = partner.body.partner.partnerId;
    const issued = await server.call('POST', '/api/admin/api-keys/issue', admin, { partnerId, scopes: ['assets:mint', 'status:update'], name: text.slice(0, 100) });
    expect(issued.status).toBe(201);
    made.push(issued.body.keyId);
    const token = issued.body.token;
    const asset = await server.call('POST', '/api/proof-assets', token, {
      contentHash: 'ab'.repeat(32), title: text, externalRef: text, metadata: { [text]: text, deep: { __proto__x: [text] } },
    });
    expect(asset.status).toBe(201);
    await server.call('POST', `/api/proof-assets/${asset.body.asset.assetId}/status`, token, { status: 'suspended', reason: text });
    const other = await server.call('POST', '/api/admin/api-keys/issue', admin, { partnerId, scopes: ['reverify'], name: text.slice(0, 100) });
    await server.call('POST', `/api/admin/api-keys/${other.body.keyId}/revoke`, admin, { note: text });
    const url = `https://hooks.invalid/${encodeURIComponent(text)}`;
    expect((await server.call('POST', `/api/admin/partners/${partnerId}/webhooks`, admin, { url, kinds: ['key.revoked'] })).status).toBe(201);
    // In the places of keys and headers, and of queries.
    await server.call('GET', `/api/admin/api-keys?q=${encodeURIComponent(text)}`, admin);
    await server.call('GET', '/api/key', `mpk_0.${encodeURIComponent(text)}`);
  }
  const inert = async (what: string) => {
    expect(await page.evaluate(() => (globalThis as { owned?: unknown }).owned), what).toBeUndefined();
    expect(await page.locator('main img, main svg[onload], main script').count(), what).toBe(0);
  };
  await openConsole(page, server);
  for (const text of EACH) await expect(page.getByRole('cell', { name: text, exact: true }).first()).toBeVisible();
  await inert('the keys');
  await page.getByRole('row').filter({ hasText: made[0]! }).getByRole('button', { name: 'Rotate' }).click();
  await expect(page.getByRole('dialog')).toContainText(MARKUP);
  await inert('a dialog');
  await page.keyboard.press('Escape');
  for (const text of EACH) {
    await page.goto(`${server.url}/api-keys?q=${encodeURIComponent(text)}`);
    await hydrated(page);
    await expect(page.getByRole('searchbox')).toHaveValue(text);
    await expect(page.getByText('2 keys on this page')).toBeVisible();
    await inert('a search');
  }
  for (const keyId of made) {
    await page.goto(`${server.url}/api-keys/${keyId}`);
    await hydrated(page);
    await inert('a key');
  }
  for (const path of ['/partners', '/audit', '/settings', `/login?next=${encodeURIComponent(BROKEN_OUT)}`, `/audit?actor=${encodeURIComponent(MARKUP)}`]) {
    await page.goto(server.url + path);
    await hydrated(page);
    for (const summary of await page.locator('main summary').all()) await summary.click();
    await inert(path);
  }
  await page.goto(`${server.url}/partners`);
  await page.getByRole('row').filter({ hasText: 'drop table' }).getByRole('link', { name: /^Notifications/ }).click();
  await expect(page.getByRole('table', { name: 'Webhooks' }).getByText('hooks.invalid')).toBeVisible();
  await inert('notifications');
  expect((await server.call('GET', '/api/admin/api-keys', admin)).body.keys.length).toBe(7);
  expect(complaints).toEqual([]);
});
