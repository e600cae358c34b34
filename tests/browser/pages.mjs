// Opens the pages of every example in headless Chromium and uses them as a reader would. Not part of `cargo test`:
//   npm install --prefix /tmp/browser playwright-core
//   NODE_PATH=/tmp/browser/node_modules node tests/browser/pages.mjs target/debug/archc
// CHROMIUM names the browser (/usr/bin/chromium), ONLY a model.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const { chromium } = createRequire(join(process.env.NODE_PATH ?? '.', 'x.js'))('playwright-core');
const archc = resolve(process.argv[2] ?? 'target/debug/archc');
const examples = resolve(import.meta.dirname, '../../examples');
const folder = mkdtempSync(join(tmpdir(), 'archc-pages-'));

let failures = 0;
function expect(holds, what) {
  if (holds) return;
  failures += 1;
  console.log(`  FAILED: ${what}`);
}

/** Every model of every example: [file, model]. */
function models() {
  const found = [];
  for (const name of readdirSync(examples).filter((file) => file.endsWith('.arch')).sort()) {
    const file = join(examples, name);
    const lines = execFileSync('grep', ['-ohE', '^model \\w+', file]).toString().trim().split('\n');
    for (const line of lines) found.push([file, line.slice('model '.length)]);
  }
  return found.filter(([, model]) => !process.env.ONLY || model === process.env.ONLY);
}

/** A page in the browser, with what went wrong on it. */
async function open(context, path) {
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => request.url().startsWith('file:') || wrong.push(`asked for ${request.url()}`));
  const start = Date.now();
  await page.goto(`file://${path}`);
  await page.waitForSelector('html[data-ready=yes]');
  return { page, wrong, took: Date.now() - start };
}

const count = (page, selector) => page.locator(selector).count();

/** Boxes of layers, merges and folded blocks that overlap another; each box of one sequence stands apart. */
function overlaps() {
  const leaves = [...document.querySelectorAll('#canvas .item')].filter((item) => item.getAttribute('aria-expanded') !== 'true');
  const boxes = leaves.map((item) => {
    const { x, y, right, bottom } = item.querySelector('.box:not(.folded), .box.folded:last-of-type, rect.box').getBoundingClientRect();
    return { x: x + 0.5, y: y + 0.5, right: right - 0.5, bottom: bottom - 0.5, name: item.getAttribute('aria-label') };
  });
  boxes.sort((a, b) => a.y - b.y);
  const found = [];
  boxes.forEach((a, i) => {
    for (let j = i + 1; j < boxes.length && boxes[j].y < a.bottom; j += 1) {
      if (boxes[j].x < a.right && a.x < boxes[j].right) found.push(`${a.name} | ${boxes[j].name}`);
    }
  });
  return found;
}

/** Texts that leave the drawing. */
function cut() {
  const { width, height } = document.querySelector('#canvas').viewBox.baseVal;
  const texts = [...document.querySelectorAll('#canvas text')].map((text) => [text.getBBox(), text.textContent]);
  return texts.filter(([box]) => box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height).map(([, text]) => text);
}

async function sound(page, when) {
  const found = await page.evaluate(overlaps);
  expect(found.length === 0, `${when}: boxes overlap: ${found.slice(0, 3)}`);
  const texts = await page.evaluate(cut);
  expect(texts.length === 0, `${when}: texts are cut: ${texts.slice(0, 3)}`);
}

async function everyGraph(context, path) {
  const { page, wrong, took } = await open(context, path);
  await sound(page, 'at first');
  const [folded, open_] = ['[aria-expanded=false]', '[aria-expanded=true]'].map((state) => `#canvas .item${state}`);
  const before = await count(page, '#canvas .item');
  if ((await count(page, folded)) > 0) {
    const first = page.locator(folded).first();
    const key = await first.getAttribute('data-key');
    await first.focus();
    await page.keyboard.press('Enter');
    expect((await count(page, '#canvas .item')) > before, 'a block unfolds by Enter');
    const focus = await page.evaluate(() => document.activeElement.dataset.key);
    expect(focus === key, 'the block keeps the focus');
    await sound(page, 'unfolded');
    await page.keyboard.press('Enter');
    expect((await count(page, '#canvas .item')) === before, 'and folds again');
    await page.locator('[data-act=unfold]').click();
    expect((await count(page, folded)) === 0, 'all unfold');
    await sound(page, 'all unfolded');
    const runs = await count(page, '#canvas [data-all]');
    if (runs > 0) {
      const shown = await count(page, '#canvas .item');
      await page.locator('#canvas .item:has([data-all])').first().focus();
      await page.keyboard.press('a');
      expect((await count(page, '#canvas .item')) > shown, 'a shows every repeat');
      await sound(page, 'every repeat');
    }
    await page.locator('[data-act=fold]').click();
    expect((await count(page, open_)) < 12, 'all fold again');
  }
  expect(wrong.length === 0, `the page is quiet: ${wrong.slice(0, 3)}`);
  await page.close();
  return took;
}

async function everySummary(context, path) {
  const { page, wrong } = await open(context, path);
  const rows = await count(page, '#rows tr');
  expect(rows > 0, 'the summary has rows');
  await page.locator('[data-act=unfold]').click();
  expect((await count(page, '#rows tr')) >= rows, 'the summary unfolds');
  await page.locator('[data-sort=params]').click();
  const params = await page.locator('#rows tr td:nth-child(4) span').allTextContents();
  const numbers = params.map((text) => Number(text.replace(/,/g, '').replace('·', '0')));
  expect(numbers.every((n, i) => i === 0 || n <= numbers[i - 1]), 'the dearest layers come first');
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.keyboard.type('relu');
  const kinds = await page.locator('#rows tr td:nth-child(2)').allTextContents();
  expect(kinds.every((kind) => kind.includes('relu')), 'the summary searches');
  expect(wrong.length === 0, `the summary is quiet: ${wrong.slice(0, 3)}`);
  await page.close();
}

/** What a reader does on the page of ResNet-152. */
async function walk(context, path) {
  const { page, wrong } = await open(context, path);
  await page.keyboard.press('/');
  await page.keyboard.type('layer3.17.conv2');
  await page.keyboard.press('Enter');
  const label = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? '');
  expect((await label()).startsWith('layer3.17.conv2, conv 3×3'), `search unfolds and goes there: ${await label()}`);
  expect((await page.locator('#details h2').textContent()) === 'layer3.17.conv2', 'its details are shown');
  expect((await page.locator('#details').textContent()).includes('256×256×3×3'), 'and its weights');
  expect((await count(page, '#lit .write')) > 0 && (await count(page, '#lit .read')) > 0, 'its buffers are lit');
  expect((await count(page, '#crumbs button')) > 0, 'the blocks around it are named');
  await page.keyboard.press('ArrowDown');
  expect((await label()).startsWith('layer3.17.bn2'), 'down goes on along the network');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowLeft');
  expect((await label()).startsWith('17 Bottleneck'), `left goes out of the block: ${await label()}`);
  await page.keyboard.press('ArrowLeft');
  expect((await page.evaluate(() => document.activeElement.getAttribute('aria-expanded'))) === 'false', 'and folds it');
  const box = await page.locator('#memory').boundingBox();
  await page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.82);
  expect(/^layer3\./.test(await label()), `a box of the memory plan finds its layer: ${await label()}`);
  await page.locator('#memory').focus();
  const before = await page.locator('#details h2').textContent();
  await page.keyboard.press('ArrowRight');
  expect((await page.locator('#details h2').textContent()) !== before, 'steps can be walked by keys');
  await page.keyboard.press('Escape');
  expect((await count(page, '#canvas .selected')) === 0, 'Escape clears');
  await page.keyboard.press('?');
  expect(await page.locator('#help').isVisible(), '? shows the keys');
  await page.keyboard.press('Escape');
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.locator('#theme').click();
  expect((await paper()) !== light, 'the button turns it dark');
  await page.emulateMedia({ media: 'print' });
  expect(!(await page.locator('aside').isVisible()), 'paper shows the network alone');
  expect(wrong.length === 0, `the page is quiet: ${wrong.slice(0, 3)}`);
  await page.close();
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
for (const [file, model] of models()) {
  const [graph, summary] = ['graph', 'summary'].map((kind) => join(folder, `${model}-${kind}.html`));
  execFileSync(archc, ['graph', file, '--model', model, '--html', graph, '-q']);
  execFileSync(archc, ['summary', file, '--model', model, '--html', summary, '-q']);
  const took = await everyGraph(context, graph);
  await everySummary(context, summary);
  console.log(`${model}: ${Math.round(statSync(graph).size / 1024)} KiB, ${took} ms`);
  if (model === 'ResNet152') await walk(context, graph);
}
const night = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
const [file, model] = models()[0];
const { page } = await open(night, join(folder, `${model}-graph.html`));
const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
expect(paper === 'rgb(15, 20, 26)', `dark follows the system: ${paper} (${file})`);
await browser.close();
console.log(failures === 0 ? 'all is well' : `${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
