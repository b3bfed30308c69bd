// A token is in one answer and on one screen, and afterwards nowhere.

import type { Response } from '@playwright/test';
import { expect, openConsole, openIssueDialog, revealedToken, test, TOKEN } from './server';

test('the token stays open through Back, and is nowhere once it is stored', async ({ page, server, complaints }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  const bodies: string[] = [];
  page.on('response', async (response: Response) => {
    const text = await response.text().catch(() => '');
    const headers = JSON.stringify(await response.allHeaders().catch(() => ({})));
    if (TOKEN.test(text) || TOKEN.test(headers)) bodies.push(`${new URL(response.url()).pathname} ${response.headers()['cache-control']}`);
  });
  await openConsole(page, server, '/partners');
  await page.getByRole('link', { name: 'API Keys / Rotation' }).click();
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  const token = await revealedToken(page);
  // The list is read again behind it, and the page may change.
  await expect(page.locator('tbody tr')).toHaveCount(2);
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Partners', includeHidden: true })).toBeAttached();
  expect(await revealedToken(page)).toBe(token);
  for (let press = 0; press < 6; press++) await page.keyboard.press('Escape');
  await page.mouse.click(5, 5);
  expect(await revealedToken(page)).toBe(token);
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);

  const nowhere = async () => {
    const left = await page.evaluate(async () => {
      const databases = await indexedDB.databases();
      const cached = await caches.keys();
      return JSON.stringify([
        document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage }, history.state, location.href,
        document.cookie, window.name, databases, cached, performance.getEntries().map((entry) => entry.name),
      ]);
    });
    expect(left).not.toMatch(TOKEN);
    expect(left).not.toContain(token.split('.')[1]);
  };
  await nowhere();
  await page.goForward();
  await expect(page.getByRole('heading', { name: 'API Keys / Rotation' })).toBeVisible();
  await nowhere();
  await page.reload();
  await nowhere();
  expect(bodies).toEqual(['/rpc/keys/issue no-store']);
  expect(complaints).toEqual([]);
});

test('leaving the site with an open token asks first, and keeps none for Back', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await revealedToken(page);
  let asked = '';
  page.on('dialog', async (question) => {
    asked = question.type();
    await question.accept();
  });
  await page.goto(`${server.url}/healthz`);
  expect(asked).toBe('beforeunload');
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'API Keys / Rotation' })).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(await page.content()).not.toMatch(TOKEN);
});

test('a name of markup, quotes, emoji and right-to-left letters is shown as text', async ({ page, server, complaints }) => {
  const names = ['<b>bold</b><img src=x onerror=alert(1)>', `"Söhne" & 'Töchter'`, '🚀 Ünïcode 漢字', 'مؤسسة الأرشيف'];
  for (const name of names) server.cli(['key', 'issue', '--partner', name, '--scope', 'assets:read']);
  await openConsole(page, server);
  for (const name of names) {
    await expect(page.getByRole('cell', { name, exact: true })).toBeVisible();
  }
  await page.getByRole('combobox', { name: 'Partner filter' }).click();
  for (const name of names) await expect(page.getByRole('option', { name, exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('row').filter({ hasText: 'bold' }).getByRole('button', { name: 'Rotate' }).click();
  await expect(page.getByRole('dialog')).toContainText(names[0]!);
  await page.keyboard.press('Escape');
  await page.goto(`${server.url}/partners`);
  for (const name of names) await expect(page.getByRole('cell', { name, exact: true })).toBeVisible();
  expect(await page.locator('td b, td img').count()).toBe(0);
  expect(complaints).toEqual([]);
});
