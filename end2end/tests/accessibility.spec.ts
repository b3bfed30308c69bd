// axe-core over every page and dialog, in both themes and at phone width: WCAG 2.2, A and AA.

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, hydrated, openIssueDialog, overflow, revealedToken, type Server, signIn, test } from './server';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

for (const [width, colorScheme] of [[1440, 'light'], [1440, 'dark'], [375, 'light'], [375, 'dark']] as const) {
  test(`no fault is found at ${width} px, ${colorScheme}`, async ({ page, server, complaints }) => {
    test.slow();
    await page.setViewportSize({ width, height: 812 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const check = async (what: string) => {
      const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
      const found = violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map((node) => node.html).join(' | ')}`);
      expect(found).toEqual([]);
      expect(await overflow(page), `${what} scrolls sideways`).toBe(0);
    };
    await page.goto(`${server.url}/api/docs`);
    await page.getByText('201 The key and its token').click();
    await check('the REST documentation');
    await page.goto(`${server.url}/login`);
    await hydrated(page);
    await check('the sign-in');
    await signIn(page, server);
    await hydrated(page);
    await check('no keys');
    await furnishAndWalk(page, server, check);
    // The answers that this test loses or forges itself, and the missing page.
    expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
  });
}

type Check = (what: string) => Promise<void>;

async function furnishAndWalk(page: Page, server: Server, check: Check): Promise<void> {
  server.cli(['key', 'issue', '--partner', 'Acme with a name that goes on for a while', '--scope', 'admin:*']);
  const gone = server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'assets:mint', 'transfer:execute', 'status:update']);
  server.cli(['key', 'revoke', gone.split('.')[0]!]);
  server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'reverify', '--not-after', '2090-01-01T00:00:00Z']);
  await page.goto(`${server.url}/api-keys`);
  await hydrated(page);
  await check('keys');
  await page.locator('time').last().focus();
  await check('an exact time');
  const dialog = await openIssueDialog(page, 'Other');
  await check('issue');
  await dialog.getByRole('button', { name: 'New partner' }).click();
  await dialog.getByRole('button', { name: 'Create partner' }).click();
  await dialog.getByLabel('Rate / min').fill('0');
  await dialog.getByLabel('assets:read').uncheck();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('It must name at least one scope.')).toBeVisible();
  await check('issue, refused');
  await dialog.getByLabel('Rate / min').fill('300');
  await dialog.getByLabel('reverify').check();
  await page.route('**/rpc/keys/issue', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await dialog.getByRole('button', { name: /^Rotate mpk_/ }).waitFor();
  await check('issue, its answer lost');
  await page.unroute('**/rpc/keys/issue');
  await dialog.getByRole('button', { name: /^Rotate mpk_/ }).click();
  await check('rotate');
  await page.getByLabel('The old key stops working').selectOption('After 24 hours');
  await page.getByRole('dialog', { name: 'Rotate key' }).getByRole('button', { name: 'Rotate' }).click();
  await revealedToken(page);
  await check('the token');
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await check('keys, after a rotation');
  await page.getByRole('button', { name: /^Grace / }).click();
  await check('change grace');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: /^Revoke / }).first().click();
  await check('revoke');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText(/ is revoked\./).waitFor();
  await page.getByRole('button', { name: /^Undo / }).first().click();
  await check('undo revocation');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Many keys' }).click();
  const many = page.getByRole('dialog');
  await many.getByRole('button', { name: 'Preview' }).click();
  await check('many keys, refused');
  await many.getByRole('combobox', { name: 'Partner' }).selectOption('Other');
  await many.getByRole('button', { name: 'Preview' }).click();
  await many.getByText(/will (get a successor|be refused at once)/).waitFor();
  await check('many keys, previewed');
  await many.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog', { name: 'New tokens' }).waitFor();
  await check('many tokens');
  await page.getByRole('button', { name: 'I have stored them' }).click();
  await page.getByRole('button', { name: 'Change password' }).click();
  await check('change password');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('scheduled');
  await expect(page.getByText('No key matches this filter.')).toBeVisible();
  await check('keys, none found');
  await page.route('**/rpc/keys/list', (route) => route.fulfill({ status: 502, body: '' }));
  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('active');
  await page.getByRole('alert').waitFor();
  await check('keys, failing');
  await page.getByRole('link', { name: 'Partners' }).click();
  await expect(page.getByRole('row')).toHaveCount(3);
  await check('partners');
  await page.getByRole('button', { name: 'Edit Other' }).click();
  await check('edit partner');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Revoke keys Other' }).click();
  await page.getByText(/will (get a successor|be refused at once)/).waitFor();
  await check('revoke all keys of a partner');
  await page.getByRole('button', { name: 'Cancel' }).last().click();
  await page.getByRole('button', { name: 'Deactivate Other' }).click();
  await check('deactivate partner');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: 'Notices of Other' }).click();
  await page.getByText('Nothing was sent yet.').waitFor();
  await check('notices, none yet');
  await page.getByRole('button', { name: 'New webhook' }).click();
  await page.getByRole('button', { name: 'Create webhook' }).click();
  await check('new webhook, refused');
  await page.getByLabel('Address').fill('https://hooks.invalid/registry');
  await page.getByRole('button', { name: 'Create webhook' }).click();
  await page.getByRole('button', { name: 'I have stored it' }).waitFor();
  await check('the signing secret');
  await page.getByRole('button', { name: 'I have stored it' }).click();
  server.cli(['key', 'issue', '--partner', 'Other', '--scope', 'reverify']);
  await expect(async () => {
    await page.reload();
    await expect(page.getByText("can't be resolved")).toBeVisible();
  }).toPass({ timeout: 20_000 });
  await hydrated(page);
  await check('notices');
  await page.getByRole('button', { name: /^Delete https/ }).click();
  await check('delete webhook');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('listitem').nth(1).locator('summary').click();
  await check('the history');
  await page.getByLabel('Action filter').selectOption('asset.minted');
  await page.getByText('No event matches this filter.').waitFor();
  await check('the history, nothing found');
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByLabel('Maximum key age (days)').fill('0');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await check('the settings, refused');
  server.cli(['policy', 'set', '--max-key-age', '1', '--stale-after', '1']);
  server.age('Other', 2);
  await page.unroute('**/rpc/keys/list');
  await page.getByRole('link', { name: 'API Keys / Rotation' }).click();
  await page.getByText('due for rotation').waitFor();
  await check('keys that ask for attention');
  await page.goto(`${server.url}/nowhere`);
  await check('a missing page');
}
