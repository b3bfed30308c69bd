// Opens the pages that the first WASM file is for, and writes down which functions none of them
// called: `make profile` runs it with a program that tells.

import { readFileSync, writeFileSync } from 'node:fs';
import { visitFirstPages } from '../tests/first-pages';
import { expect, hydrated, test } from '../tests/server';

test('the first pages', async ({ page, server }) => {
  test.setTimeout(300_000);
  const marks = readFileSync(process.env.MARKS_FILE!, 'utf8').split('\n');
  const called = new Set<string>();
  // Once it listens, a page asks again: what has another age by then is told anew.
  await page.route('**/rpc/keys/list', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await route.continue();
  });
  await visitFirstPages(page, server, async (path) => {
    await page.goto(server.url + path);
    await hydrated(page);
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(3_000);
    // While a page is left, nothing can be fetched.
    const numbers = await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
      Object.defineProperty(document, 'hidden', { value: true });
      window.dispatchEvent(new Event('beforeunload', { cancelable: true }));
      window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      return [...(globalThis as { __hits?: Set<number> }).__hits!];
    });
    for (const number of numbers) called.add(marks[number]!);
  });
  expect(called.size).toBeGreaterThan(1_000);
  const late = [...new Set(marks)].filter((mark) => mark !== '' && !called.has(mark)).sort();
  writeFileSync(process.env.LATE_FUNCTIONS!, `${late.join('\n')}\n`);
});
