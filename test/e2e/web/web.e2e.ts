import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/postgres.ts';
import { chromiumPath, launchBrowser } from '../../support/browser.ts';
import { GatewayProcess } from '../../support/gateway-process.ts';
import { Instance } from '../../support/instance.ts';
import { Issuer } from '../../support/issuer.ts';
import { commandOf, processTree } from '../../support/processes.ts';

/**
 * The web app as people use it: a real browser on a real instance that runs nothing but trusted documents. The main job of every
 * page, and what must never be: a serious finding of axe, a breach of the page's policy, a text that runs.
 */
const SHOP = 'users=600,products=120,days=200,interactions=40000,seed=7';
const PHONE = { width: 360, height: 740 };
const FIRST_LOAD_BYTES = 250_000;
const PATIENTLY = { timeout: 30_000 };

let dataDir: string;
let shop: Instance;
let site: string;
let browser: Browser;
let complaints: string[] = [];

beforeAll(async () => {
  if (!chromiumPath) return;
  dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-web-'));
  const port = await freePort();
  site = `http://127.0.0.1:${port}`;
  shop = new Instance(dataDir, port, { DEMO_SHOP: SHOP, TRUSTED_DOCUMENTS: 'only' });
  await shop.says('Time of each stage:', 500_000);
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await shop?.stop();
  if (dataDir) await rm(dataDir, { recursive: true, force: true });
});

afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
  const found = complaints;
  complaints = [];
  expect(found, 'what the browser complained about').toEqual([]);
});

/** A page of a new visitor, whose complaints are collected: breaches of the policy, scripts that threw. */
async function visit(pathname: string, options: BrowserContextOptions = {}, origin = site): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 860 }, ...options });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket/.test(message.text()))
      complaints.push(message.text());
  });
  page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  await page.goto(origin + pathname);
  return page;
}

async function signIn(page: Page, role: RegExp): Promise<void> {
  await page.getByRole('button', { name: /^(Sign in|Account of)/ }).click();
  await page.getByRole('menuitem', { name: role }).click();
  await page.getByRole('button', { name: /^Account of/ }).waitFor();
}

const products = (page: Page) => page.getByRole('main').getByRole('article');

describe.skipIf(!chromiumPath)('the web app', () => {
  it('lets a newcomer follow a recommendation, ask, run a job and approve a summary within a minute', async () => {
    const page = await visit('/');
    const began = Date.now();
    await signIn(page, /^Customer/);
    const recommended = page.getByRole('region', { name: 'Recommended' });
    await recommended
      .getByText(/^(Picked for you|Like what you viewed|Often bought together)$/)
      .first()
      .waitFor();
    await recommended.getByRole('link').first().click();
    await page.getByRole('button', { name: 'Add to cart' }).waitFor();

    await page.getByRole('button', { name: 'Assistant', exact: true }).click();
    await page.getByLabel('Your question').fill('Which katana is the lightest?');
    await page.keyboard.press('Enter');
    const cited = page.getByRole('list', { name: 'Products in this answer' });
    expect(await cited.getByRole('link').first().textContent()).toMatch(/katana/i);
    await page.getByRole('button', { name: 'Helpful', exact: true }).click();
    await page.getByText('Thank you.').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();

    await signIn(page, /^Admin/);
    await page.getByRole('link', { name: 'Operations' }).click();
    await page.getByLabel('What').selectOption('INDEX_CATALOG');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('main').getByRole('article').getByText('Done').waitFor();
    await page.getByRole('region', { name: 'Result' }).waitFor();

    await signIn(page, /^Support/);
    await page.getByRole('link', { name: 'Conversations' }).click();
    await page.getByRole('button', { name: 'Summarize …' }).click();
    await page
      .getByLabel(/^Transcript/)
      .fill(
        'Customer: My Moonlit Lamp from order HM-10293 arrived broken.\nAgent: I am so sorry. A replacement is on its way.',
      );
    await page.getByRole('dialog').getByLabel('Agent', { exact: true }).fill('Mia');
    await page.getByRole('button', { name: 'Summarize', exact: true }).click();
    await page.getByText('Nobody has reviewed it yet.').waitFor();
    expect(await page.locator('mark').allTextContents()).toContain('HM-10293');
    await page.keyboard.press('a');
    await page.getByText(/^Approved by/).waitFor();
    expect(Date.now() - began).toBeLessThan(60_000);
  });

  it('loads at most 250 kB of compressed script on the storefront, kept for the next visit', async () => {
    const page = await visit('/favicon.svg');
    const scripts = new Map<string, number>();
    page.on('response', async (response) => {
      if (response.request().resourceType() === 'script')
        scripts.set(response.url(), Number(await response.headerValue('content-length')));
    });
    await page.goto(site);
    await products(page).first().waitFor();
    const bytes = [...scripts.values()].reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(FIRST_LOAD_BYTES);
    const [script] = scripts.keys();
    const { headers } = await fetch(script as string);
    expect(headers.get('cache-control')).toContain('immutable');
  });

  it('narrows a list by shelf, price and stock, and goes on at its end', async () => {
    const page = await visit('/search');
    await expect.poll(() => products(page).count(), PATIENTLY).toBe(24);
    await page.mouse.wheel(0, 20_000);
    await expect.poll(() => products(page).count(), PATIENTLY).toBeGreaterThan(24);
    await page.getByRole('complementary').getByRole('link', { name: 'Blades' }).click();
    await page.getByLabel('To', { exact: true }).fill('30000');
    await page.keyboard.press('Enter');
    await page.getByLabel('In stock only').check();
    await page.getByLabel('Sort by').selectOption('PRICE_DESC');
    await page.waitForURL(/\/category\/c-blades\?.*max=30000/);
    const prices = async () =>
      (await products(page).allTextContents()).map((text) => Number(/¥([\d,]+)/.exec(text)?.[1]?.replaceAll(',', '')));
    const descend = (all: number[]) => all.length > 3 && all.every((price, n) => price <= (all[n - 1] ?? 30_000));
    await expect.poll(async () => descend(await prices()), PATIENTLY).toBe(true);

    await page.getByLabel('Search the shop').fill('water katana');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '“water katana”' }).waitFor();
    await products(page)
      .filter({ hasText: /water katana/i })
      .first()
      .waitFor();
    await page.goBack();
    await page.waitForURL(/\/category\/c-blades/);
    await page.getByRole('heading', { name: 'Blades' }).waitFor();
  });

  it('tells the shop what is viewed and put into the cart', async () => {
    const page = await visit('/');
    await signIn(page, /^Customer/);
    await page.getByRole('region', { name: 'Popular now' }).getByRole('link').first().click();
    await page.getByRole('button', { name: 'Add to cart' }).waitFor();
    const name = (await page.getByRole('heading', { level: 1 }).textContent()) as string;
    const recorded = page.waitForResponse(async (response) => (await response.text()).includes('"accepted":'));
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await recorded;
    await page.getByRole('link', { name: 'Cart, 1 piece' }).click();
    await page.getByRole('link', { name }).waitFor();
    await page.reload();
    await page.getByRole('link', { name }).waitFor();
    await page.getByRole('link', { name: 'HashiraMart' }).click();
    await page.getByRole('region', { name: 'Viewed lately' }).getByRole('link', { name }).waitFor();
  });

  it('keeps a conversation over a reload, and its draft', async () => {
    const page = await visit('/');
    await page.getByRole('button', { name: 'Assistant', exact: true }).click();
    await page.getByRole('button', { name: 'Which katana is the lightest?' }).click();
    const cited = page.getByRole('list', { name: 'Products in this answer' });
    await cited.waitFor();
    await page.getByLabel('Your question').fill('And the heav');
    await page.reload();
    await page.getByRole('button', { name: 'Assistant', exact: true }).click();
    await cited.waitFor();
    expect(await page.getByLabel('Your question').inputValue()).toBe('And the heav');
  });

  it('streams by HTTP where no WebSocket gets through', async () => {
    const page = await visit('/');
    await page.routeWebSocket(/graphql/, (socket) => void socket.close());
    await page.getByRole('button', { name: 'Assistant', exact: true }).click();
    await page.getByRole('button', { name: 'Which katana is the lightest?' }).click();
    await page.getByRole('list', { name: 'Products in this answer' }).waitFor();
  });

  it('signs in at an issuer, in production, again after a reload, and puts no token where others look', async () => {
    const issuer = await Issuer.start('shop-web', { subject: 'u-000001', scope: 'customer' });
    const { env } = JSON.parse(await readFile(path.join(dataDir, 'run/instance.json'), 'utf8'));
    const gateway = await GatewayProcess.start({
      ...env,
      HASHIRA_DATA: dataDir,
      PRODUCTION: 'on',
      JWKS_URL: `${issuer.url}/keys`,
      JWT_ISSUER: issuer.url,
      OIDC_CLIENT_ID: issuer.clientId,
    });
    try {
      const page = await visit('/search?q=mask', {}, gateway.url);
      const addresses: string[] = [];
      page.on('request', (request) => addresses.push(request.url()));
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('menuitem', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'It is me' }).click();
      await page.getByRole('button', { name: /^Account of/ }).waitFor();
      expect(page.url()).toBe(`${gateway.url}/search?q=mask`);
      await page.reload();
      await page.getByRole('button', { name: /^Account of/ }).waitFor();
      const kept = await page.evaluate(() =>
        JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
      );
      expect(kept).not.toContain('eyJ');
      expect(addresses.filter((address) => address.includes('eyJ'))).toEqual([]);
      issuer.signedIn = false;
      await page.reload();
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      expect(issuer.refused).toEqual([]);
    } finally {
      await gateway.kill();
      issuer.stop();
    }
  });

  it('shows forecasts with their interval, models beside their baselines, and each part well', async () => {
    const page = await visit('/');
    await signIn(page, /^Analyst/);
    await page.getByRole('link', { name: 'Operations' }).click();
    await page.getByRole('rowheader', { name: 'Seasonal naive' }).waitFor();
    expect(await page.getByRole('button', { name: 'Promote' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Forecasts' }).click();
    await page.getByRole('img', { name: 'Units sold and expected' }).locator('canvas').waitFor();
    await page.getByRole('combobox', { name: /^Of/ }).first().selectOption({ label: 'Katana' });
    await page.waitForURL(/category=c-katana/);
    await page.getByText('As a table').click();
    await expect
      .poll(() => page.getByRole('region', { name: 'Expected sales' }).getByRole('row').count(), PATIENTLY)
      .toBe(15);
    await page.getByRole('link', { name: 'Health' }).click();
    await page.getByRole('row', { name: /^Forecasts Well/ }).waitFor();
  });

  it('goes on by itself after the gateway was killed, and loses nothing that was typed', async () => {
    const page = await visit('/');
    await products(page).first().waitFor();
    await page.getByRole('button', { name: 'Assistant', exact: true }).click();
    await page.getByLabel('Your question').fill('a half-written');
    killGateway();
    await page.getByLabel('Search the shop').fill('mask');
    await page.keyboard.press('Enter');
    await page.getByText('The shop cannot be reached at the moment.').waitFor();
    await products(page).filter({ hasText: /mask/i }).first().waitFor({ timeout: 90_000 });
    await page.getByText('The shop cannot be reached at the moment.').waitFor({ state: 'detached' });
    expect(await page.getByLabel('Your question').inputValue()).toBe('a half-written');
    await page.getByLabel('Your question').fill('Which mask is the lightest?');
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Products in this answer' }).waitFor();
  });

  it('shows names and descriptions that hold HTML or scripts as text', async () => {
    const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const product = {
      sku: 'HOSTILE-1',
      name: `${hostile} Katana`,
      description: `"><svg onload=alert(3)> ${hostile} javascript:alert(4)`,
      price: 1,
      currency: 'JPY',
      categoryId: 'c-katana',
      stock: 1,
      imageUrl: 'https://127.0.0.1:1/<script>.png',
      attributes: [{ name: hostile, value: hostile }],
    };
    const manifest = JSON.parse(await readFile('schema/operations/manifest.json', 'utf8'));
    const { body } = manifest.operations.find(({ name }: { name: string }) => name === 'UpsertProducts');
    const { data, errors } = await shop.ask<{ upsertProducts: { products: { id: string }[] } }>(body, 'admin', {
      products: [product],
    });
    expect(errors).toBeUndefined();
    const page = await visit(`/product/${data?.upsertProducts.products[0]?.id}`);
    await page.getByRole('heading', { level: 1, name: product.name }).waitFor();
    await page.getByText(product.description).waitFor();
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await page.getByRole('link', { name: 'See the cart' }).click();
    await page.getByRole('link', { name: product.name }).waitFor();
    expect(await page.locator('script:not([src]), img[onerror], svg[onload]').count()).toBe(0);
  });

  it.each([
    ['light', undefined],
    ['dark', PHONE],
  ] as const)(
    'has no serious finding of axe and scrolls in one direction only, in %s',
    async (colorScheme, viewport) => {
      const page = await visit('/', { colorScheme, ...(viewport ? { viewport } : {}) });
      await signIn(page, /^Admin/);
      const product = await products(page).first().getByRole('link').getAttribute('href');
      for (const pathname of [
        '/',
        '/search?q=mask',
        product as string,
        '/cart',
        '/console/jobs',
        '/console/models',
        '/console/forecasts',
        '/console/health',
        '/quality',
        '/quality/counts',
      ]) {
        await page.goto(site + pathname);
        await page.getByRole('heading').first().waitFor();
        await sleep(1_000);
        expect(await seriousFindings(page), pathname).toEqual([]);
        const wider = () =>
          page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(await wider(), pathname).toBeLessThanOrEqual(0);
      }
      await page.getByRole('button', { name: 'Assistant', exact: true }).click();
      await page.getByLabel('Your question').waitFor();
      expect(await seriousFindings(page)).toEqual([]);
    },
  );
});

/** As with kill -9. What keeps the instance up starts it again. */
function killGateway(): void {
  const own = processTree((pid) => pid === shop.child.pid);
  const gateway = own.filter(({ pid }) => /gateway\/index\.ts$/.test(commandOf(pid))).at(-1);
  if (!gateway) throw new Error('The gateway does not run.');
  process.kill(gateway.pid, 'SIGKILL');
}

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Rules of WCAG 2.2 AA that are broken seriously, with where. */
async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    type Found = { id: string; impact: string; nodes: { html: string; failureSummary: string }[] };
    const { axe } = window as unknown as { axe: { run(options: object): Promise<{ violations: Found[] }> } };
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
      );
  });
}
