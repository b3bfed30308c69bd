// What dialogs promise: errors where they belong, nothing typed lost, the focus kept and given
// back, results announced.

import { choose, expect, openConsole, openIssueDialog, overflow, revealedToken, signIn, test } from './server';

test('errors of both sides of the wire stand beside their fields', async ({ page, server }) => {
  const admin = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'admin:*']).trim();
  await openConsole(page, server);
  let orders = 0;
  page.on('request', (request) => void (orders += Number(request.url().endsWith('/rpc/keys/issue'))));
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByLabel('Name (optional)').fill('x'.repeat(101));
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('It must have 1 to 100 characters, not 101.')).toBeVisible();
  await expect(dialog.getByLabel('Name (optional)')).toHaveAttribute('aria-invalid', 'true');
  // The first field at fault has the focus.
  await expect(dialog.getByLabel('Name (optional)')).toBeFocused();
  expect(orders).toBe(0);

  // What only the server can know.
  await dialog.getByLabel('Name (optional)').fill('Kept');
  const partners = (await server.call('GET', '/api/admin/partners', admin)).body.partners;
  const other = server.cli(['key', 'issue', '--partner', 'Root', '--scope', 'admin:*']).trim();
  await server.call('PATCH', `/api/admin/partners/${partners[0].partnerId}`, other, { active: false });
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByRole('alert')).toContainText('The partner is deactivated: activate it first.');
  await expect(dialog.getByLabel('Name (optional)')).toHaveValue('Kept');
  await server.call('PATCH', `/api/admin/partners/${partners[0].partnerId}`, other, { active: true });
  await page.route('**/rpc/keys/issue', async (route) => {
    const sent = route.request().postDataJSON();
    sent.input.ratePerMinute = 0;
    await route.continue({ postData: JSON.stringify(sent) });
  });
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('It must be a whole number from 1 to 10000.')).toBeVisible();
  expect(orders).toBe(2);
});

test('a session that has ended loses nothing that was typed', async ({ page, server, context }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByLabel('Name (optional)').fill('Kept');
  await context.clearCookies();
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByRole('alert')).toContainText('signed out');
  const [tab] = await Promise.all([context.waitForEvent('page'), dialog.getByRole('link', { name: 'Sign in in a new tab' }).click()]);
  await signIn(tab, server);
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await revealedToken(page);
});

test('everything goes by keyboard, and the focus comes back', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  const generate = page.getByRole('button', { name: 'Generate New Key' });
  await generate.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Generate New Key' });
  await expect(dialog.getByRole('combobox', { name: 'Partner', exact: true })).toBeFocused();
  // Tab goes round inside.
  for (let press = 0; press < 30; press++) {
    await page.keyboard.press('Tab');
    const inside = await page.evaluate(() => document.activeElement === document.body || !!document.activeElement?.closest('dialog'));
    expect(inside, `after ${press + 1} presses`).toBe(true);
  }
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(generate).toBeFocused();

  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('combobox', { name: 'Partner', exact: true })).toBeFocused();
  await page.keyboard.type('acm');
  await expect(dialog.getByRole('option', { name: 'Acme' })).toHaveAttribute('aria-selected', 'true');
  // Escape closes the list, not the dialog, and Enter chooses, and does not submit.
  await page.keyboard.press('Escape');
  await expect(dialog.getByRole('listbox').getByRole('option')).toHaveCount(0);
  await page.keyboard.type('acm');
  await expect(dialog.getByRole('option', { name: 'Acme' })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('combobox', { name: 'Partner', exact: true })).toHaveValue('Acme');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type('By keyboard');
  await page.keyboard.press('Enter');
  const token = await revealedToken(page);
  await expect(page.locator('#new-token')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Copy' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(generate).toBeFocused();
  const keyId = token.split('.')[0]!;
  await expect(page.getByRole('status').filter({ hasText: `${keyId} is ready.` })).toBeVisible();

  // A row is rendered again after its key changed: the focus finds its button, or the heading.
  const row = page.getByRole('row').filter({ hasText: keyId });
  await expect(row).toBeVisible();
  await row.getByRole('button', { name: 'Revoke' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await expect(row.getByRole('button', { name: 'Revoke' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByLabel('Note (optional)').fill('by keyboard');
  await page.keyboard.press('Enter');
  await expect(row).toContainText('revoked');
  await expect(page.getByRole('heading', { name: 'API Keys / Rotation' })).toBeFocused();
  await expect(page.getByRole('status').filter({ hasText: `${keyId} is revoked.` })).toBeVisible();
});

test('focus can be seen', async ({ page, server }) => {
  await openConsole(page, server);
  for (let press = 0; press < 8; press++) {
    await page.keyboard.press('Tab');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
    expect(outline, `after ${press + 1} presses`).not.toBe('none');
  }
});

test('a partner is created on the spot, by Enter too, and one among many is found', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Zeta', '--scope', 'assets:read']);
  server.addPartners(220);
  await openConsole(page, server);
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Generate New Key' });
  const partner = dialog.getByRole('combobox', { name: 'Partner', exact: true });
  await choose(partner, 'Zeta');
  await dialog.getByRole('button', { name: 'New partner' }).click();
  await dialog.getByLabel('Partner name').fill('x');
  await dialog.getByLabel('Partner name').press('Enter');
  await expect(dialog.getByText('It must have 2 to 200 characters, not 1.')).toBeVisible();
  await dialog.getByLabel('Partner name').fill('On the spot');
  await dialog.getByLabel('Partner name').press('Enter');
  await expect(partner).toHaveValue('On the spot');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await revealedToken(page);
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'On the spot' })).toBeVisible();
});

test('a late answer closes no dialog but its own', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  await page.getByRole('link', { name: 'Partners' }).click();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/rpc/partners/create', async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole('button', { name: 'New partner' }).click();
  await page.getByRole('dialog').getByLabel('Partner name').fill('Zeta');
  await page.getByRole('button', { name: 'Create partner' }).click();
  await page.goBack();
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  const token = await revealedToken(page);
  release();
  await expect(page.getByText('Zeta is saved.')).toBeAttached();
  expect(await revealedToken(page)).toBe(token);
});

test('what is unfinished in a field is neither wiped nor taken for nothing', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  const dialog = await openIssueDialog(page, 'Acme');
  const rate = dialog.getByLabel('Rate / min');
  await rate.selectText();
  await page.keyboard.type('12e');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('It must be a whole number from 1 to 10000.')).toBeVisible();
  await expect(rate).toBeFocused();
  await page.keyboard.press('End');
  await page.keyboard.type('1');
  await expect(rate).toHaveValue('12e1');
  const notAfter = dialog.getByLabel('Not After (optional)');
  await notAfter.focus();
  await page.keyboard.type('12312036');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await expect(dialog.getByText('It is unfinished: give date and time, or clear it.')).toBeVisible();
  // Filling a field while the focus is on its way to the faulty one would type into that.
  await expect(notAfter).toBeFocused();
  await rate.fill('120');
  await notAfter.fill('2036-12-31T10:00');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  const token = await revealedToken(page);
  const key = (await server.call('GET', '/api/key', token)).body.key;
  // The browser lives in Athens.
  expect([key.ratePerMinute, key.notAfter]).toEqual([120, '2036-12-31T08:00:00Z']);
});

test('a partner made on the spot stays chosen, whatever an older answer says', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let first = true;
  await page.route('**/rpc/partners/choices', async (route) => {
    const answer = await route.fetch();
    if (first) {
      first = false;
      await held;
    }
    await route.fulfill({ response: answer });
  });
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Generate New Key' });
  await dialog.getByRole('button', { name: 'New partner' }).click();
  await dialog.getByLabel('Partner name').fill('Zeta');
  await dialog.getByRole('button', { name: 'Create partner' }).click();
  const partner = dialog.getByRole('combobox', { name: 'Partner', exact: true });
  await expect(partner).toHaveValue('Zeta');
  await expect(partner).toBeFocused();
  const answered = page.waitForResponse('**/rpc/partners/choices');
  release();
  await answered;
  await expect(partner).toHaveValue('Zeta');
  await partner.click();
  await expect(dialog.getByRole('listbox').getByRole('option')).toHaveText(['Acme', 'Zeta']);
  await page.keyboard.press('Escape');
  await expect(partner).toHaveValue('Zeta');
  // An unknown partner in the address is none in the dialog.
  await page.keyboard.press('Escape');
  await page.goto(`${server.url}/api-keys?partnerId=00000000-0000-4000-8000-000000000000`);
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await partner.click();
  await expect(dialog.getByRole('listbox').getByRole('option')).toHaveText(['Acme', 'Zeta']);
  await expect(partner).toHaveValue('');
});

test('names of any length stay inside the dialog', async ({ page, server }) => {
  const long = 'W'.repeat(200);
  const keyId = server.cli(['key', 'issue', '--partner', long, '--scope', 'assets:read']).split('.')[0]!;
  for (const width of [1440, 375]) {
    await page.setViewportSize({ width, height: 812 });
    await openConsole(page, server);
    await page.getByRole('button', { name: `Rotate ${keyId}` }).click();
    const dialog = page.getByRole('dialog', { name: 'Rotate key' });
    expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    expect(await overflow(page)).toBe(0);
    await page.context().clearCookies();
  }
});

test('without a clipboard the token is to be copied by hand', async ({ page, server, complaints }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined }));
  await openConsole(page, server);
  const dialog = await openIssueDialog(page, 'Acme');
  await dialog.getByRole('button', { name: 'Create Key' }).click();
  await revealedToken(page);
  await page.getByRole('button', { name: 'Copy' }).click();
  await expect(page.getByText('copy it by hand')).toBeVisible();
  await page.getByRole('button', { name: 'I have stored it' }).click();
  expect(complaints).toEqual([]);
});
