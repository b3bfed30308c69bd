// The pages that the browser's first WASM file is for, in all their states.

import type { Page } from '@playwright/test';
import { seed } from './seed';
import { AUDITOR, PASSWORD, type Server, signIn } from './server';

/** Has each of them visited. A visit ends where the page may be left. */
export async function visitFirstPages(page: Page, server: Server, visit: (path: string) => Promise<void>): Promise<void> {
  server.cli(['operator', 'create', '--email', AUDITOR, '--role', 'auditor', '--password-stdin'], PASSWORD);
  await visit('/login');
  await visit('/login?next=/audit');
  await signIn(page, server);
  await visit('/api-keys');
  server.cli(['key', 'issue', '--partner', 'Aged', '--scope', 'assets:read']);
  server.addKeys(120);
  server.age('Aged', 200);
  await visit('/api-keys');
  const next = await page.getByRole('link', { name: 'Next page' }).getAttribute('href');
  await visit(next!);
  await seed(server);
  // Uses are written a second later, and told to whoever looks.
  await page.waitForTimeout(2_500);
  await visit('/api-keys');
  await visit('/api-keys?status=active&q=Northwind&sort=createdAt');
  await visit('/api-keys?q=nothing+like+it');
  server.addPartners(200);
  await visit('/api-keys');
  server.cli(['sample', '--partners', '100', '--keys', '2000']);
  for (const query of ['', '?sort=-lastUsedAt', '?status=retiring', '?status=revoked', '?status=expired']) {
    await visit(`/api-keys${query}`);
  }
  await page.setViewportSize({ width: 375, height: 812 });
  await visit('/api-keys');
  await page.context().clearCookies();
  await signIn(page, server, AUDITOR);
  await visit('/api-keys');
}
