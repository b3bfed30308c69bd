// Operators: roles, their own password, slowed guesses, the way back after signing in.

import { AUDITOR, EMAIL, expect, hydrated, openConsole, PASSWORD, signIn, test } from './server';

test('an auditor reads everything and is offered no change', async ({ page, server, complaints }) => {
  server.cli(['operator', 'create', '--email', AUDITOR, '--role', 'auditor', '--password-stdin'], PASSWORD);
  const keyId = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).split('.')[0]!;
  await signIn(page, server, AUDITOR);
  await hydrated(page);
  await expect(page.getByText(keyId)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Generate New Key' })).toHaveCount(0);
  await expect(page.getByRole('button', { name: /Rotate|Revoke/ })).toHaveCount(0);
  await page.getByRole('link', { name: 'Partners' }).click();
  await expect(page.getByRole('cell', { name: 'Acme', exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: /New partner|Edit|Deactivate/ })).toHaveCount(0);
  const status = await page.evaluate(async (keyId) => {
    const answer = await fetch('/rpc/keys/revoke', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ key_id: keyId, input: {} }),
    });
    return answer.status;
  }, keyId);
  expect(status).toBe(403);
  await page.getByRole('link', { name: 'API Keys / Rotation' }).click();
  await expect(page.getByRole('row').filter({ hasText: keyId })).toContainText('active');
  expect(complaints.filter((text) => !text.includes('403'))).toEqual([]);
});

test('changing one\'s own password ends the other sessions', async ({ page, server, browser }) => {
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await signIn(other, server);
  await openConsole(page, server);
  await page.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change password' });
  await dialog.getByLabel('Current password').fill('not the password');
  await dialog.getByLabel('New password').fill('short');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(dialog.getByText('It must have at least 12 characters.')).toBeVisible();
  await dialog.getByLabel('New password').fill('canary password, the second');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(dialog.getByText('It is not your present password.')).toBeVisible();
  await dialog.getByLabel('Current password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Your password is changed' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Change password' })).toBeFocused();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'API Keys / Rotation' })).toBeVisible();
  await other.reload();
  await expect(other).toHaveURL(/\/login\?next=%2Fapi-keys$/);
  await elsewhere.close();
});

test('guesses are slowed with words that say for how long', async ({ page, server }) => {
  await page.goto(`${server.url}/login`);
  await hydrated(page);
  const attempt = async (password: string) => {
    await page.getByLabel('Email').fill(EMAIL);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  for (let n = 0; n < 6; n++) {
    const answered = page.waitForResponse('**/rpc/session/sign-in');
    await attempt(`wrong ${n}`);
    expect((await answered).status()).toBe(401);
  }
  await attempt(PASSWORD);
  await expect(page.getByRole('alert')).toContainText(/Too many requests: try again in \d s/);
  await page.waitForTimeout(1_100);
  await attempt(PASSWORD);
  await expect(page.getByRole('heading', { name: 'API Keys / Rotation' })).toBeVisible();
});

test('signing in leads back to the view that was asked for', async ({ page, server }) => {
  const keyId = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']).split('.')[0]!;
  await page.goto(`${server.url}/api-keys?q=acme&status=active`);
  await hydrated(page);
  await page.getByLabel('Email').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(`${server.url}/api-keys?q=acme&status=active`);
  await expect(page.getByText(keyId)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await expect(page.getByRole('button', { name: 'Sign out' })).toHaveCount(0);
});

test('a forged next leads to the keys, with the program running', async ({ page, server, complaints }) => {
  for (const next of ['/x/..//evil.example', '/api-keys/..//evil.example/x', '//evil.example', '/healthz']) {
    await page.goto(`${server.url}/login?next=${encodeURIComponent(next)}`);
    await hydrated(page);
    await page.getByLabel('Email').fill(EMAIL);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(`${server.url}/api-keys`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page).toHaveURL(/\/login/);
  }
  expect(complaints).toEqual([]);
});

test('operators are made, changed and disabled in the settings', async ({ page, server, browser, complaints }) => {
  await openConsole(page, server, '/settings');
  await page.getByRole('button', { name: 'New operator' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('E-mail').fill('nobody');
  await dialog.getByLabel('Initial password').fill('short');
  await dialog.getByRole('button', { name: 'Create operator' }).click();
  await expect(dialog.getByText('It must be an e-mail address such as ops@example.com.')).toBeVisible();
  await expect(dialog.getByText('It must have at least 12 characters.')).toBeVisible();
  await dialog.getByLabel('E-mail').fill(AUDITOR);
  await dialog.getByLabel('Initial password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Create operator' }).click();
  await expect(page.getByRole('status').filter({ hasText: `${AUDITOR} is created.` })).toBeVisible();
  const row = page.getByRole('row').filter({ hasText: AUDITOR });
  await expect(row).toContainText('auditor');
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await signIn(other, server, AUDITOR);

  // The last admin stays one.
  await page.getByRole('button', { name: `Edit ${EMAIL}` }).click();
  await dialog.getByLabel('Role').selectOption('auditor');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(dialog.getByRole('alert')).toContainText('the last admin');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('button', { name: `Edit ${AUDITOR}` }).click();
  await dialog.getByLabel('Sign-in').selectOption('disabled');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(row).toContainText('deactivated');
  await other.reload();
  await expect(other).toHaveURL(/\/login/);
  await page.getByRole('button', { name: `Edit ${AUDITOR}` }).click();
  await dialog.getByLabel('Sign-in').selectOption('allowed');
  await dialog.getByLabel('Role').selectOption('admin');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(row).toContainText('admin');
  await page.getByRole('button', { name: `Reset password ${AUDITOR}` }).click();
  await dialog.getByLabel('New password').fill('canary password, a new one');
  await dialog.getByRole('button', { name: 'Set password' }).click();
  await expect(page.getByRole('status').filter({ hasText: `The password of ${AUDITOR} is set.` })).toBeVisible();
  await other.getByLabel('Email').fill(AUDITOR);
  await other.getByLabel('Password').fill('canary password, a new one');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('button', { name: 'Generate New Key' })).toBeVisible();
  await elsewhere.close();
  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.getByText(`changed the operator ${AUDITOR}`)).toBeVisible();
  expect(complaints.filter((text) => !text.includes('409'))).toEqual([]);
});

test('one sees where one is signed in, and ends a session', async ({ page, server, browser }) => {
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await signIn(other, server);
  await openConsole(page, server, '/settings');
  const sessions = page.getByRole('region', { name: 'Your sessions' });
  await expect(sessions.getByText('this one')).toBeVisible();
  await sessions.getByRole('button', { name: 'End the session from 127.0.0.1' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The session is ended.' })).toBeVisible();
  await expect(sessions.getByRole('button')).toHaveCount(0);
  await other.goto(`${server.url}/api-keys`);
  await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await elsewhere.close();
});
