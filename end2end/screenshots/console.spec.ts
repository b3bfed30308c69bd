// Pictures of every page and dialog, at desktop and phone width, light and dark. They are for
// people to look at: `make screenshots` leaves them in the folder that SCREENSHOTS names.

import type { Page } from '@playwright/test';
import { seed } from '../tests/seed';
import { choose, EMAIL, hydrated, PASSWORD, type Server, signIn, test, timedCode } from '../tests/server';

const FOLDER = process.env.SCREENSHOTS ?? 'target/screenshots';

for (const width of [1440, 768, 375]) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${width} ${colorScheme}`, async ({ browser, server }) => {
      test.slow();
      const context = await browser.newContext({
        viewport: { width, height: width === 375 ? 812 : 900 },
        colorScheme,
        locale: 'en-GB',
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      const page = await context.newPage();
      const shoot = async (name: string, fullPage = false) => {
        // Animations have come to their end.
        await page.waitForTimeout(250);
        await page.screenshot({ path: `${FOLDER}/${name}-${width}-${colorScheme}.png`, fullPage });
      };
      await page.goto(`${server.url}/login`);
      await hydrated(page);
      await shoot('login');
      await page.getByLabel('Email').fill('ops@example.com');
      await page.getByLabel('Password').fill('not the password');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
      await shoot('login-refused');
      await signIn(page, server);
      await hydrated(page);
      await shoot('keys-empty', true);
      await seed(server);
      await page.goto(`${server.url}/api-keys`);
      await hydrated(page);
      await shoot('keys', true);
      await page.locator('time').first().focus();
      await shoot('keys-exact-time');
      await dialogs(page, shoot);
      await page.goto(`${server.url}/api-keys?q=nothing+like+it`);
      await hydrated(page);
      await shoot('keys-no-match');
      await page.route('**/rpc/keys/list', (route) => route.abort());
      await page.getByLabel('Status filter').selectOption('active');
      await page.getByRole('alert').waitFor();
      await shoot('keys-failing');
      await page.unroute('**/rpc/keys/list');
      await page.route('**/rpc/keys/list', () => undefined);
      await page.goto(`${server.url}/api-keys`);
      await hydrated(page);
      await page.getByLabel('Status filter').selectOption('active');
      await shoot('keys-loading');
      await page.unroute('**/rpc/keys/list');
      await partners(page, server, shoot);
      await notifications(page, server, shoot);
      await page.goto(`${server.url}/audit`);
      await hydrated(page);
      await page.locator('summary').nth(2).click();
      await shoot('audit-log', true);
      await page.goto(`${server.url}/settings`);
      await hydrated(page);
      await shoot('settings', true);
      await secondFactor(page, server, shoot);
      server.cli(['policy', 'set', '--max-key-age', '30', '--stale-after', '30']);
      server.age('Meridian Labs', 31);
      server.age('Lumen Notaries', 31);
      await page.goto(`${server.url}/api-keys`);
      await hydrated(page);
      await shoot('keys-due', true);
      server.addPartners(60);
      await page.reload();
      await hydrated(page);
      await page.getByRole('combobox', { name: 'Partner filter' }).fill('reg');
      await page.getByRole('option', { name: 'Registry staff' }).waitFor();
      await shoot('partner-filter');
      await page.keyboard.press('Enter');
      await page.getByRole('row').getByRole('link', { name: /^mpk_/ }).first().click();
      await page.getByRole('heading', { name: 'Lineage' }).waitFor();
      await shoot('key', true);
      await page.getByRole('button', { name: /^Edit mpk/ }).click();
      await shoot('key-edit');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await context.close();
    });
  }
}

type Shoot = (name: string, fullPage?: boolean) => Promise<void>;

async function dialogs(page: Page, shoot: Shoot): Promise<void> {
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await shoot('issue');
  await page.getByLabel('Rate / min').fill('0');
  await page.getByLabel('assets:read').uncheck();
  await page.getByLabel('Not After (optional)').fill('2020-01-01T10:00');
  await page.getByRole('button', { name: 'Create Key' }).click();
  await shoot('issue-refused');
  await page.getByRole('button', { name: 'New partner' }).click();
  await shoot('issue-new-partner');
  await page.getByRole('button', { name: 'New partner' }).click();
  await choose(page.getByRole('combobox', { name: 'Partner', exact: true }), 'Lumen Notaries');
  await page.getByLabel('assets:read').check();
  await page.getByLabel('Rate / min').fill('600');
  await page.getByLabel('Not After (optional)').fill('');
  await page.route('**/rpc/keys/issue', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.getByRole('button', { name: 'Create Key' }).click();
  await page.getByRole('button', { name: /^Rotate mpk/ }).last().waitFor();
  await shoot('issue-lost');
  await page.unroute('**/rpc/keys/issue');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: /^Rotate mpk/ }).first().click();
  await shoot('rotate');
  await page.getByLabel('The old key stops working').selectOption('After 24 hours');
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied.').waitFor();
  await shoot('reveal');
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await shoot('keys-after-rotation');
  await page.getByRole('button', { name: /^Grace mpk/ }).first().click();
  await shoot('grace');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: /^Revoke mpk/ }).first().click();
  await shoot('revoke');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText(/ is revoked\./).waitFor();
  await shoot('keys-after-revocation');
  await page.getByRole('button', { name: /^Undo mpk/ }).first().click();
  await shoot('undo');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Bulk actions' }).click();
  await shoot('bulk');
  const many = page.getByRole('dialog');
  await choose(many.getByRole('combobox', { name: 'Partner' }), 'Lumen Notaries');
  await many.getByRole('button', { name: 'Preview' }).click();
  await many.getByText(/will get a successor/).waitFor();
  await shoot('bulk-preview');
  await many.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog', { name: 'New tokens' }).waitFor();
  await shoot('bulk-reveal');
  await page.getByRole('button', { name: 'I have stored them' }).click();
  const password = page.getByRole('button', { name: 'Change password' });
  await password.click();
  await shoot('password');
  await page.getByRole('button', { name: 'Cancel' }).click();
}

async function partners(page: Page, server: Server, shoot: Shoot): Promise<void> {
  await page.goto(`${server.url}/partners`);
  await hydrated(page);
  await shoot('partners', true);
  await page.getByRole('button', { name: /^Edit / }).first().click();
  await shoot('partner-edit');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: /^Revoke keys / }).first().click();
  await page.getByText(/will stop working immediately/).waitFor();
  await shoot('partner-revoke');
  await page.getByRole('button', { name: 'Cancel' }).last().click();
  await page.getByRole('button', { name: /^Deactivate / }).first().click();
  await shoot('partner-deactivate');
  await page.getByRole('button', { name: 'Cancel' }).click();
}

async function secondFactor(page: Page, server: Server, shoot: Shoot): Promise<void> {
  await page.getByRole('button', { name: 'Set up second factor' }).click();
  await page.getByLabel('Your password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Continue' }).click();
  const secret = (await page.locator('#factor-secret').innerText()).replaceAll(' ', '');
  await shoot('second-factor');
  await page.getByLabel('Code', { exact: true }).fill(timedCode(secret));
  await page.getByRole('button', { name: 'Set up' }).last().click();
  await page.getByRole('button', { name: 'I have stored them' }).waitFor();
  await shoot('recovery-codes');
  await page.getByRole('button', { name: 'I have stored them' }).click();
  server.forgetProofs();
  await page.getByRole('button', { name: 'New operator' }).click();
  await page.getByLabel('E-mail').fill('colleague@example.com');
  await page.getByLabel('Initial password').fill('an initial password');
  await page.getByRole('button', { name: 'Create operator' }).click();
  await page.getByLabel('Code', { exact: true }).waitFor();
  await shoot('step-up');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await shoot('settings-with-factor', true);
  const elsewhere = await page.context().browser()!.newContext({ viewport: page.viewportSize() });
  const half = await elsewhere.newPage();
  await half.goto(`${server.url}/login`);
  await half.getByLabel('Email').fill(EMAIL);
  await half.getByLabel('Password').fill(PASSWORD);
  await half.getByRole('button', { name: 'Sign in' }).click();
  await half.getByRole('heading', { name: 'Second factor' }).waitFor();
  await half.screenshot({ path: `${FOLDER}/login-code-${page.viewportSize()!.width}.png` });
  await elsewhere.close();
  server.prove();
}

async function notifications(page: Page, server: Server, shoot: Shoot): Promise<void> {
  await page.goto(`${server.url}/partners`);
  await page.getByRole('link', { name: 'Notifications of Atlas Custody' }).click();
  await page.getByText('No webhooks yet.').waitFor();
  await shoot('notifications-empty', true);
  await hydrated(page);
  await page.getByRole('button', { name: 'New webhook' }).click();
  await shoot('webhook');
  await page.getByLabel('URL').fill('https://hooks.atlas.invalid/registry');
  await page.getByRole('button', { name: 'Create webhook' }).click();
  await page.getByRole('button', { name: 'I have stored it' }).waitFor();
  await shoot('webhook-secret');
  await page.getByRole('button', { name: 'I have stored it' }).click();
  server.cli(['key', 'issue', '--partner', 'Atlas Custody', '--scope', 'reverify']);
  await page.waitForTimeout(6_000);
  await page.reload();
  await hydrated(page);
  await shoot('notifications', true);
}
