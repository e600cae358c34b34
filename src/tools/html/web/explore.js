// What happens: folding, selecting, keys, search, zoom.

const pane = $('pane');
/** The key of the selected item, and of the one that the pointer rests on. */
let selected = null, hovered = null;

const itemOf = (key) => drawn.get(key)?.item;
const idsOf = (item) => (item ? item.frame?.nodes ?? [item.layer ?? item.merge] : []);

/** Shows what is known of the item that is pointed at, else of the selected one. */
function show() {
  const item = itemOf(hovered) ?? itemOf(selected);
  describe(item);
  lightMemory(idsOf(item));
  const ids = new Set(idsOf(item));
  for (const wire of canvas.querySelectorAll('[data-from]')) {
    const near = ids.has(Number(wire.dataset.from)) !== ids.has(Number(wire.dataset.to));
    wire.classList.toggle('lit', ids.size > 0 && near);
  }
}

function select(key, { focus = true, quiet = false } = {}) {
  drawn.get(selected)?.element.classList.remove('selected');
  drawn.get(selected)?.element.removeAttribute('aria-selected');
  selected = drawn.has(key) ? key : null;
  for (const { element } of drawn.values()) element.setAttribute('tabindex', -1);
  const entry = drawn.get(selected) ?? drawn.values().next().value;
  entry?.element.setAttribute('tabindex', 0);
  if (selected) {
    entry.element.classList.add('selected');
    entry.element.setAttribute('aria-selected', 'true');
    if (focus) entry.element.focus({ preventScroll: true });
    if (!quiet) bringIntoView(entry.item);
  }
  show();
}

/** Scrolls as little as shows an item, below the names of the frames around it. */
function bringIntoView({ x, y, w, h }) {
  const roomAbove = 44, roomBelow = 24;
  const tall = Math.min(h, 60);
  const [top, bottom] = [y * zoom - roomAbove, (y + tall) * zoom + roomBelow];
  if (top < pane.scrollTop) pane.scrollTop = top;
  else if (bottom > pane.scrollTop + pane.clientHeight) pane.scrollTop = bottom - pane.clientHeight;
  const offset = canvas.offsetLeft;
  const [left, right] = [x * zoom + offset - 16, (x + Math.min(w, 240)) * zoom + offset + 16];
  if (left < pane.scrollLeft) pane.scrollLeft = left;
  else if (right > pane.scrollLeft + pane.clientWidth) pane.scrollLeft = right - pane.clientWidth;
}

/** Draws anew and keeps an item where it was on the screen. */
function redraw(key) {
  const before = itemOf(key);
  const offset = before && before.y * zoom - pane.scrollTop;
  draw();
  const after = itemOf(key);
  if (offset !== undefined && after) pane.scrollTop = after.y * zoom - offset;
  hovered = null;
  select(drawn.has(selected) ? selected : drawn.has(key) ? key : null, { focus: false, quiet: true });
  crumbs();
}

function toggle(frame, open = frame.open === FOLDED ? OPEN : FOLDED) {
  const key = `f${frame.index}`;
  frame.open = open;
  redraw(key);
  select(key);
}

const toggleAll = (frame) => isRun(frame) && toggle(frame, frame.open === ALL ? OPEN : ALL);

/** Opens what hides a layer and goes there. */
function go(id) {
  reveal(id);
  redraw(selected);
  select(`n${id}`);
  const { item } = drawn.get(selected) ?? {};
  if (item) pane.scrollTop = item.y * zoom - pane.clientHeight / 3;
}

function foldAll() {
  for (const frame of frames) frame.open = FOLDED;
}

/** The smallest zoom that a page opens with: below it, text is hard to read. */
const SMALLEST = 0.8;

/** The zoom at which the whole drawing is seen at once, 1 at most. */
const fitting = () => Math.min(1, pane.clientWidth / scene.width, pane.clientHeight / scene.height);

/** Opens level after level, repeats left as one, as long as all of it can be seen at once: first what holds skips. */
function openWhatFits() {
  foldAll();
  openLevels((frame) => frame.sums.skips.size > 0);
  openLevels((frame) => frame.body.elems.length > 1);
}

function openLevels(wanted) {
  const level = (frame) => chain(frame.parent).length;
  const deepest = Math.max(0, ...frames.map(level));
  for (let depth = 0; depth <= deepest; depth += 1) {
    const opened = frames.filter((frame) => level(frame) === depth && wanted(frame) && frame.open === FOLDED && !isRun(frame) && !stoodFor(frame) && visible(frame));
    for (const frame of opened) frame.open = OPEN;
    scene = layout();
    if (fitting() < SMALLEST) {
      for (const frame of opened) frame.open = FOLDED;
      return;
    }
  }
}

const visible = (frame) => chain(frame.parent).every((around) => around.open !== FOLDED);

function unfoldAll() {
  for (const frame of frames) frame.open = frame.open === ALL ? ALL : OPEN;
}

function setZoom(value) {
  const middle = (pane.scrollTop + pane.clientHeight / 2) / zoom;
  zoom = Math.min(2.5, Math.max(0.25, value));
  scale();
  pane.scrollTop = middle * zoom - pane.clientHeight / 2;
  crumbs();
}


/** The open frames whose titles have scrolled away, from the outside in. */
function crumbs() {
  const top = pane.scrollTop / zoom;
  const hidden = scene.items.filter((item) => item.frame && isOpen(item) && item.y + 4 < top && item.y + item.h - 30 > top);
  $('crumbs').replaceChildren(
    ...hidden.map(({ frame }) => {
      const times = isRun(frame) ? ` ×${frame.times}` : '';
      return make('button', { type: 'button', 'data-crumb': frame.index, title: 'fold' }, `${frame.label} ${frame.block}${times}`.trim());
    }),
  );
}

/** The next or previous item in reading order. */
function step(by) {
  const keys = [...drawn.keys()];
  const at = keys.indexOf(selected);
  const next = at < 0 ? 0 : at + by;
  if (keys[next] !== undefined) select(keys[next]);
}

/** Along a skip from or to the selected layer, to its other end. */
function followSkip() {
  const ids = new Set(idsOf(itemOf(selected)));
  const edge = arcs.find((arc) => ids.has(arc.to) && !ids.has(arc.from)) ?? arcs.find((arc) => ids.has(arc.from) && !ids.has(arc.to));
  if (edge) go(ids.has(edge.to) ? edge.from : edge.to);
}

/** The frame around the selected item. */
function outward() {
  const item = itemOf(selected);
  if (!item) return;
  if (item.frame && isOpen(item)) return toggle(item.frame);
  const around = chain(item.frame ? item.frame.parent : home.get(item.layer ?? item.merge)).at(-1);
  if (around) select(`f${around.index}`);
}

function inward() {
  const item = itemOf(selected);
  if (item?.frame && !isOpen(item)) toggle(item.frame);
  else step(1);
}

const treeKeys = {
  ArrowDown: () => step(1), j: () => step(1), ArrowUp: () => step(-1), k: () => step(-1),
  ArrowRight: inward, l: inward, ArrowLeft: outward, h: outward,
  Home: () => select(drawn.keys().next().value), End: () => select([...drawn.keys()].at(-1)),
  Enter: () => itemOf(selected)?.frame && toggle(itemOf(selected).frame),
  a: () => itemOf(selected)?.frame && toggleAll(itemOf(selected).frame),
  s: followSkip,
};
treeKeys[' '] = treeKeys.Enter;

const pageKeys = {
  '/': () => $('search').focus(), '?': () => $('help').showModal(), Escape: () => select(null),
  '+': () => setZoom(zoom * 1.2), '=': () => setZoom(zoom * 1.2), '-': () => setZoom(zoom / 1.2), 0: () => setZoom(1),
  f: () => act('fold'), u: () => act('unfold'),
};

const acts = {
  fold: () => { openWhatFits(); redraw(selected); setZoom(Math.max(SMALLEST, fitting())); },
  unfold: () => { unfoldAll(); redraw(selected); },
  help: () => $('help').showModal(),
};
const act = (name) => acts[name]();
