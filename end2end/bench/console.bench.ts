// How fast the console feels: the tab on a CPU that is slowed four times, a filter's change, and what
// Lighthouse says. Figures are medians of five loads; docs/performance.md keeps them.

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { chromium, type Page } from '@playwright/test';
import lighthouse from 'lighthouse';
import config from '../playwright.config';
import { expect, hydrated, type Server, signIn, test } from '../tests/server';

const RUNS = 5;
const SLOWED = 4;

test.use({ settings: { RUST_LOG: 'info' } });

test('the console', async ({ server }) => {
  server.cli(['sample', '--keys', '2000', '--partners', '100']);
  const port = await freePort();
  const options = config.use!.launchOptions!;
  const browser = await chromium.launch({ ...options, args: [...options.args!, `--remote-debugging-port=${port}`] });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await signIn(page, server);
  await page.close();

  const loads = [];
  for (let n = 0; n < RUNS; n++) {
    const page = await context.newPage();
    loads.push(await load(page, server));
    await page.close();
  }
  row('largest paint, ms', loads.map(({ paint }) => paint), '≤ 1000');
  row('hydrated, ms', loads.map(({ hydration }) => hydration), '≤ 1500');
  row('layout shift', loads.map(({ shift }) => shift), '0');
  for (const moved of new Set(loads.flatMap(({ moved }) => moved))) console.log(`    moved: ${moved}`);
  row('WASM and script on the wire, KiB', loads.map(({ wire }) => wire / 1024), '');

  const filtered = await context.newPage();
  row('a filter change to new rows, ms', await filterChanges(filtered, server), '≤ 100');
  await filtered.close();

  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  for (const path of ['/api-keys', '/partners', '/audit', '/settings']) {
    const result = await lighthouse(server.url + path, {
      port,
      onlyCategories: ['performance', 'accessibility', 'best-practices'],
      extraHeaders: { Cookie: cookie },
      disableStorageReset: true,
      formFactor: 'desktop',
      screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false },
      throttling: DESKTOP,
    });
    expect(result!.lhr.finalDisplayedUrl).toBe(server.url + path);
    for (const category of Object.values(result!.lhr.categories)) {
      console.log(`Lighthouse ${path} ${category.title}: ${Math.round(category.score! * 100)} (≥ 95)`);
      const lost = category.auditRefs.map(({ id }) => result!.lhr.audits[id]!).filter((audit) => audit.score !== null && audit.score < 0.9);
      for (const audit of lost) console.log(`    ${audit.id}: ${audit.displayValue ?? audit.score}`);
    }
  }
  await browser.close();
});

/** Lighthouse's own figures for a desktop. */
const DESKTOP = { rttMs: 40, throughputKbps: 10_240, cpuSlowdownMultiplier: 1, requestLatencyMs: 0, downloadThroughputKbps: 0, uploadThroughputKbps: 0 };

async function load(page: Page, server: Server) {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWED });
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  await page.addInitScript(() => {
    const seen = { paint: 0, shift: 0, hydration: 0, moved: [] as string[] };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.paint = entry.startTime;
    }).observe({ type: 'largest-contentful-paint', buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as any[]) {
        seen.shift += entry.value;
        for (const { node } of entry.sources) seen.moved.push(node?.outerHTML?.slice(0, 80) ?? node?.textContent?.slice(0, 80));
      }
    }).observe({ type: 'layout-shift', buffered: true });
    new MutationObserver(() => {
      if (document.documentElement.dataset.hydrated && !seen.hydration) seen.hydration = performance.now();
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-hydrated'] });
  });
  await page.goto(`${server.url}/api-keys`);
  await hydrated(page);
  await page.waitForTimeout(1_000);
  return page.evaluate(() => {
    const seen = (window as any).seen as { paint: number; shift: number; hydration: number; moved: string[] };
    const files = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    const first = files.filter(({ name, startTime }) => /\.(wasm|js)$/.test(name) && startTime < seen.hydration);
    return { ...seen, wire: first.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) };
  });
}

/** From the choice of a status to the first row that has it and none that has not. */
async function filterChanges(page: Page, server: Server): Promise<number[]> {
  await page.goto(`${server.url}/api-keys`);
  await hydrated(page);
  await page.waitForTimeout(1_000);
  const times = [];
  for (let n = 0; n < RUNS; n++) {
    for (const status of ['revoked', 'active']) {
      times.push(
        await page.evaluate(async (status) => {
          const select = document.querySelector<HTMLSelectElement>('select[name="status"]')!;
          const begun = performance.now();
          select.value = status;
          select.dispatchEvent(new Event('change', { bubbles: true }));
          const shows = () => {
            const rows = [...document.querySelectorAll('table.keys tbody tr td[data-label="Status"]')];
            return rows.length > 0 && rows.every((row) => row.textContent!.toLowerCase().includes(status));
          };
          while (!shows()) await new Promise(requestAnimationFrame);
          return performance.now() - begun;
        }, status),
      );
    }
  }
  return times;
}

function row(what: string, values: number[], target: string): void {
  const sorted = [...values].sort((a, b) => a - b);
  const digits = sorted.at(-1)! < 10 ? 3 : 0;
  const median = sorted[Math.floor(sorted.length / 2)]!;
  console.log(`${what}: ${median.toFixed(digits)} (${sorted[0]!.toFixed(digits)} to ${sorted.at(-1)!.toFixed(digits)}) ${target}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
