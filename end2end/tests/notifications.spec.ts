// Notifications of a partner: webhooks created, delivered to a real receiver, logged, resent, deleted.

import { createServer, type IncomingMessage, type Server as Receiver } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AUDITOR, expect, hydrated, openConsole, PASSWORD, signIn, test as base } from './server';

const test = base.extend<{ receiver: { url: string; status: number; bodies: string[] } }>({
  receiver: async ({}, use) => {
    const received = { url: '', status: 204, bodies: [] as string[] };
    const server: Receiver = createServer((request: IncomingMessage, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk));
      request.on('end', () => {
        received.bodies.push(body);
        response.writeHead(received.status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    received.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    await use(received);
    server.close();
  },
});
test.use({ settings: { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' } });

test('a webhook is created, gets a notification, and is deleted', async ({ page, server, receiver, complaints }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  await openConsole(page, server, '/partners');
  await page.getByRole('link', { name: 'Notifications of Acme' }).click();
  await expect(page.getByRole('heading', { name: 'Notifications', exact: true })).toBeVisible();
  await expect(page.getByText('No webhooks yet.')).toBeVisible();
  await page.getByRole('button', { name: 'New webhook' }).click();
  let dialog = page.getByRole('dialog', { name: 'New webhook' });
  await dialog.getByLabel('URL').fill('http://10.0.0.1/');
  for (const kind of await dialog.getByRole('checkbox').all()) await kind.uncheck();
  await dialog.getByRole('button', { name: 'Create webhook' }).click();
  await expect(dialog.getByText('It must name at least one kind of notice.')).toBeVisible();
  await dialog.getByLabel('key.revoked').check();
  await dialog.getByRole('button', { name: 'Create webhook' }).click();
  await expect(dialog.getByText('It must name a public address.')).toBeVisible();
  await expect(dialog.getByLabel('URL')).toBeFocused();
  await dialog.getByLabel('URL').fill(receiver.url);
  await dialog.getByRole('button', { name: 'Create webhook' }).click();

  dialog = page.getByRole('dialog', { name: 'New signing secret' });
  await expect(dialog).toContainText('shown once');
  const secret = /whsec_[A-Za-z0-9+/=]+/.exec(await dialog.innerText())![0];
  await page.keyboard.press('Escape');
  await expect(dialog).toBeVisible();
  await dialog.getByRole('button', { name: 'I have stored it' }).click();
  await expect(dialog).toHaveCount(0);
  await page.reload();
  await hydrated(page);
  expect(await page.content()).not.toContain(secret);
  const webhook = page.getByRole('row').filter({ hasText: receiver.url }).first();
  await expect(webhook).toContainText('key.revoked');

  const token = server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  const keyId = token.split('.')[0]!;
  server.cli(['key', 'revoke', keyId]);
  await expect(async () => expect(receiver.bodies).toHaveLength(1)).toPass({ timeout: 10_000 });
  expect(JSON.parse(receiver.bodies[0]!)).toMatchObject({ type: 'key.revoked', data: { keyId } });
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole('row').filter({ hasText: keyId })).toContainText('delivered');
  }).toPass({ timeout: 10_000 });
  await hydrated(page);
  const delivery = page.getByRole('row').filter({ hasText: keyId });
  await expect(delivery).toContainText('204');
  await delivery.getByRole('button', { name: 'Resend key.revoked' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'key.revoked was queued again.' })).toBeVisible();
  await expect(async () => expect(receiver.bodies).toHaveLength(2)).toPass({ timeout: 10_000 });

  await page.getByRole('combobox', { name: 'Status filter' }).selectOption('failed');
  await expect(page).toHaveURL(/\?status=failed$/);
  await expect(page.getByText('No delivery matches this filter.')).toBeVisible();
  await webhook.getByRole('button', { name: /^Deactivate/ }).click();
  await expect(webhook).toContainText('deactivated');
  await webhook.getByRole('button', { name: /^Delete/ }).click();
  dialog = page.getByRole('dialog', { name: 'Delete webhook' });
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('No webhooks yet.')).toBeVisible();
  // The refusal that this test provokes.
  expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
});

test('an auditor reads the log and changes nothing', async ({ page, server }) => {
  server.cli(['key', 'issue', '--partner', 'Acme', '--scope', 'assets:read']);
  server.cli(['operator', 'create', '--email', AUDITOR, '--role', 'auditor', '--password-stdin'], PASSWORD);
  await signIn(page, server, AUDITOR);
  await page.goto(`${server.url}/partners`);
  await hydrated(page);
  await page.getByRole('link', { name: 'Notifications of Acme' }).click();
  await expect(page.getByText('No deliveries yet.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'New webhook' })).toHaveCount(0);
  await page.goto(`${server.url}/partners/nobody/notices`);
  await expect(page.getByRole('alert')).toContainText('No partner has this id.');
});
