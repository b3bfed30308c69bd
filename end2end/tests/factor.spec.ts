// The second factor: set up with an app, asked for at sign-in and before what could do most harm.

import type { Page } from '@playwright/test';
import { EMAIL, expect, hydrated, openConsole, openIssueDialog, PASSWORD, revealedToken, type Server, test, timedCode } from './server';

/** The code of the next step, which the server takes ahead of its time: the present one may be taken. */
const nextCode = (secret: string): string => timedCode(secret, Date.now() + 30_000);

/** Sets up a factor; its secret and the recovery codes. */
async function setUp(page: Page): Promise<{ secret: string; recovery: string[] }> {
  await page.getByRole('button', { name: 'Set up second factor' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set up second factor' });
  await dialog.getByLabel('Your password').fill('not the password');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(dialog.getByText('It is not your password.')).toBeVisible();
  await dialog.getByLabel('Your password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(dialog.getByRole('img', { name: 'QR code for the app' })).toBeVisible();
  const secret = (await dialog.locator('#factor-secret').innerText()).replaceAll(' ', '');
  await dialog.getByLabel('Code', { exact: true }).fill('000 000');
  await dialog.getByRole('button', { name: 'Set up' }).click();
  await expect(dialog.getByRole('alert')).toContainText('The code is not right');
  await dialog.getByLabel('Code', { exact: true }).fill(timedCode(secret));
  await dialog.getByRole('button', { name: 'Set up' }).click();
  const codes = page.getByRole('dialog', { name: 'Recovery codes' });
  await expect(codes.getByRole('listitem')).toHaveCount(10);
  const recovery = await codes.getByRole('listitem').allInnerTexts();
  await page.keyboard.press('Escape');
  await expect(codes).toBeVisible();
  await codes.getByRole('button', { name: 'I have stored them' }).click();
  await expect(page.getByText('Recovery codes left: 10.')).toBeVisible();
  for (const secretText of [secret, ...recovery]) expect(await page.content()).not.toContain(secretText);
  return { secret, recovery };
}

async function byPassword(page: Page, server: Server, next: string): Promise<void> {
  await page.goto(`${server.url}/login?next=${next}`);
  await page.getByLabel('Email').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Second factor' })).toBeVisible();
}

test('a second factor is set up, asked for at sign-in, and removed', async ({ page, server, complaints }) => {
  await openConsole(page, server, '/settings');
  const { secret, recovery } = await setUp(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await hydrated(page);
  await byPassword(page, server, '/settings');
  await page.getByLabel('Code').fill('123456');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('alert')).toContainText('The code is not right');
  await page.getByLabel('Code').fill(nextCode(secret));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page).toHaveURL(`${server.url}/settings`);
  await hydrated(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await byPassword(page, server, '/settings');
  await page.getByLabel('Code').fill(recovery[0]!);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('Recovery codes left: 9.')).toBeVisible();
  await hydrated(page);
  await page.getByRole('button', { name: 'Remove second factor', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('Your second factor is removed.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Set up second factor' })).toBeEnabled();
  // The button that was pressed is gone.
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeFocused();
  expect(complaints.filter((text) => !/status of (400|403)/.test(text))).toEqual([]);
});

test('what could do most harm asks for a code, and nothing typed is lost', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  server.forgetProofs();
  let dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByLabel('Name (optional)').fill('Everything');
  await dialog.getByLabel('admin:* (all)').check();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByRole('alert')).toContainText('This requires a second factor, and you have none.');
  // Set up in another tab, as the notice says; then the order goes through as it stands.
  const [tab] = await Promise.all([page.context().waitForEvent('page'), dialog.getByRole('link', { name: 'Set one up in a new tab' }).click()]);
  await hydrated(tab);
  const { secret } = await setUp(tab);
  await tab.close();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await revealedToken(page);
  await page.getByRole('button', { name: 'I have stored it' }).click();

  server.forgetProofs();
  dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByLabel('Name (optional)').fill('Everything again');
  await dialog.getByLabel('admin:* (all)').check();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByLabel('Code', { exact: true })).toBeFocused();
  await page.keyboard.type('12345');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('It must be the six digits that your app shows, or a recovery code.')).toBeVisible();
  await dialog.getByLabel('Code', { exact: true }).fill(nextCode(secret));
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('Confirmed: submit again.')).toBeVisible();
  await expect(dialog.getByLabel('Name (optional)')).toHaveValue('Everything again');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await revealedToken(page);
});

test('switching a webhook asks for a code in its row', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server, '/settings');
  const { secret } = await setUp(page);
  await page.getByRole('link', { name: 'Partners' }).click();
  await page.getByRole('link', { name: 'Notifications of Acme' }).click();
  await page.getByRole('button', { name: 'New webhook' }).click();
  const dialog = page.getByRole('dialog', { name: 'New webhook' });
  await dialog.getByLabel('URL').fill('https://hooks.example.com/');
  await dialog.getByRole('button', { name: 'Create webhook' }).click();
  await page.getByRole('button', { name: 'I have stored it' }).click();
  server.forgetProofs();
  const webhook = page.getByRole('table', { name: 'Webhooks' }).getByRole('row').filter({ hasText: 'hooks.example.com' });
  await webhook.getByRole('button', { name: /^Deactivate/ }).click();
  await expect(webhook.getByLabel('Code', { exact: true })).toBeFocused();
  await page.keyboard.type(nextCode(secret));
  await page.keyboard.press('Enter');
  await expect(webhook.getByText('Confirmed: submit again.')).toBeVisible();
  await webhook.getByRole('button', { name: /^Deactivate/ }).click();
  await expect(webhook).toContainText('deactivated');
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('the second factor is asked for by a plain form', async ({ browser, page, server }) => {
    const withScripts = await browser.newContext({ javaScriptEnabled: true });
    const other = await withScripts.newPage();
    await openConsole(other, server, '/settings');
    const { secret } = await setUp(other);
    await withScripts.close();
    await byPassword(page, server, '/audit');
    await page.getByLabel('Code').fill('000000');
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page.getByRole('alert')).toContainText('The code is not right');
    await page.getByLabel('Code').fill(nextCode(secret));
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page).toHaveURL(`${server.url}/audit`);
  });
});
