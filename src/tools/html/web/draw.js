// The layout as a drawing. Each item is a treeitem that can be focused; frames say whether they are open.

const canvas = $('canvas');
/** The element of each item that is drawn, by its key. */
const drawn = new Map();
let scene = null;
let zoom = 1;

const keyOf = (item) => (item.frame ? `f${item.frame.index}` : `n${item.layer ?? item.merge}`);

function draw() {
  scene = layout();
  drawn.clear();
  canvas.replaceChildren(
    arrowHeads(),
    make('svg:g', { class: 'frames' }, ...scene.items.filter((item) => item.frame && isOpen(item)).map(backdrop)),
    make('svg:g', { class: 'wires' }, ...scene.wires.map(wire), ...scene.dots.map(dot)),
    make('svg:g', { class: 'items' }, ...scene.items.map(itemElement), ...scene.notes.map(note), ...ending(scene.end)),
  );
  scale();
}

/** Sets the size of the drawing for the zoom. */
function scale() {
  const { width, height } = scene;
  canvas.setAttribute('viewBox', `0 0 ${width} ${height}`);
  canvas.setAttribute('width', Math.round(width * zoom));
  canvas.setAttribute('height', Math.round(height * zoom));
}

const isOpen = (item) => item.frame.open !== FOLDED;

const rect = (look, { x, y, w, h }, r) => make('svg:rect', { class: look, x, y, width: w, height: h, rx: r });

/** Text in pieces of one look each, with a gap between them. */
function text(x, y, anchor, ...pieces) {
  const spans = pieces.map(([look, words], i) => make('svg:tspan', { class: look, dx: i > 0 ? 7 : undefined }, words));
  return make('svg:text', { x, y, 'text-anchor': anchor === 'start' ? undefined : anchor }, ...spans);
}

const note = ({ x, y, text: words }) => text(x, y, 'start', ['small', words]);

function ending(end) {
  if (!end) return [];
  const { x, y, w, h } = end;
  return [rect('box port', { x: x - w / 2, y, w, h }, h / 2), text(x, y + 16, 'middle', ['', end.text])];
}

function arrowHeads() {
  const head = (ink) =>
    make(
      'svg:marker',
      { id: `to-${ink}`, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: 'userSpaceOnUse', orient: 'auto' },
      make('svg:path', { class: `dot ${ink}`, d: 'M0 .8 L8 4 L0 7.2 Z' }),
    );
  return make('svg:defs', {}, ...['line', 'add', 'concat', 'mul', 'gate'].map(head));
}

function wire({ path, look, arrow, arc }) {
  const ends = arc ? { 'data-from': arc.from, 'data-to': arc.to } : {};
  const line = make('svg:path', { class: `wire ${look}`, d: path, 'marker-end': arrow && `url(#to-${arrow})`, ...ends });
  if (arc) line.append(make('svg:title', {}, `${arc.long ? 'long ' : ''}${arc.ink === 'line' ? 'path' : `skip ${arc.ink}`} from ${nodes[arc.from].path}`));
  return line;
}

const dot = ({ x, y, look }) => make('svg:circle', { class: `dot ${look}`, cx: x, cy: y, r: 2.5 });

function backdrop(item) {
  const { frame } = item;
  const group = make('svg:g', {});
  if (isRun(frame) && frame.open === OPEN) {
    for (const behind of [2, 1]) group.append(rect('frame', { ...item, x: item.x + 4 * behind, y: item.y + 4 * behind }, 8));
  }
  group.append(rect('frame', item, 8));
  return group;
}

function itemElement(item) {
  const key = keyOf(item);
  const element = make('svg:g', {
    role: 'treeitem', tabindex: -1, class: `item ${item.frame ? 'block' : 'leaf'}`, 'data-key': key,
    'aria-level': item.level, 'aria-label': spoken(item), 'aria-expanded': item.frame ? String(isOpen(item)) : undefined,
  });
  if (item.layer !== undefined) element.append(...layerShapes(item));
  else if (item.merge !== undefined) element.append(...mergeShapes(item));
  else if (isOpen(item)) element.append(...titleShapes(item));
  else element.append(...foldedShapes(item));
  drawn.set(key, { item, element });
  return element;
}

/** An item in words, for those who hear the page. */
function spoken({ frame, layer, merge }) {
  if (frame) {
    const { params, shape, skips } = frame.sums;
    const times = isRun(frame) ? `, ${frame.times} times` : '';
    const inside = [...skips].map(([kind, n]) => `, ${n} ${kind}`).join('');
    return `${frame.label} ${frame.block}${times}, gives ${shape}, ${grouped(params)} parameters${inside}`;
  }
  const node = nodes[layer ?? merge];
  return `${node.path}, ${node.kind} ${node.detail}, gives ${node.shape}`;
}

function layerShapes({ layer, x, y, w, h }) {
  const { caption, shape, changes, look } = nodes[layer];
  const box = rect(`box ${look}`, { x, y, w, h }, look === 'port' ? h / 2 : 5);
  const inset = look === 'port' ? 14 : 10;
  if (!changes) return [box, text(x + w / 2, y + 16, 'middle', ['', caption])];
  return [box, text(x + inset, y + 16, 'start', ['', caption]), text(x + w - inset, y + 16, 'end', ['small', shape])];
}

function mergeShapes({ merge, low, x, y }) {
  const { look, caption } = nodes[merge];
  const [cx, cy] = [x + MERGE, y + MERGE];
  const signs = {
    add: `M${cx - 5} ${cy}h10M${cx} ${cy - 5}v10`,
    mul: `M${cx - 4} ${cy - 4}l8 8m0 -8l-8 8`,
    concat: `M${cx - 2} ${cy - 4}v8m5 -8v8`,
    gate: `M${cx - 5} ${cy + 4}c5 0 5 -8 10 -8`,
  };
  const disc = make('svg:circle', { class: `box disc ${look}`, cx, cy, r: MERGE });
  return [disc, make('svg:path', { class: `wire ${look}`, d: signs[look] }), text(cx + MERGE + 6, cy + 4 + low, 'start', ['small', caption])];
}

function titleShapes({ frame, x, y, w }) {
  const bar = rect('title-bar', { x, y, w, h: TITLE }, 8);
  const words = text(x + 24, y + 17, 'start', ['title', frame.label], ['dim', frame.block]);
  return [bar, chevron(x + 10, y + 10, true), words, ...badge(frame, x + w - 7, y + 5)];
}

function foldedShapes({ frame, x, y, w, h }) {
  const { params, shape, skips } = frame.sums;
  const shapes = [];
  if (isRun(frame)) for (const behind of [2, 1]) shapes.push(rect('box folded', { x: x + 3 * behind, y: y + 3 * behind, w, h }, 7));
  // Skips inside lean on the left edge as small arcs.
  let out = 0;
  for (const kind of skips.keys()) {
    out += 5;
    shapes.push(make('svg:path', { class: `wire ${kind}`, d: `M${x} ${y + 6}C${x - out * 1.4} ${y + 8} ${x - out * 1.4} ${y + h - 8} ${x} ${y + h - 6}` }));
  }
  const right = x + w - 10;
  shapes.push(
    rect('box folded', { x, y, w, h }, 7),
    chevron(x + 10, y + 11, false),
    text(x + 24, y + 17, 'start', ['title', frame.label], ['dim', frame.block]),
    ...badge(frame, right - textWidth(shape, 11) - 8, y + 4),
    text(right, y + 16, 'end', ['small', shape]),
    text(x + 24, y + 31, 'start', ['small', frame.words]),
  );
  if (params > 0) shapes.push(text(right, y + 31, 'end', ['small', metric(params)]));
  return shapes;
}

const chevron = (x, y, open) =>
  make('svg:path', { class: 'chevron', d: open ? `M${x} ${y}l4 4.5l4 -4.5` : `M${x + 2} ${y - 2}l4.5 4l-4.5 4` });

/** `×36`, a button of its own: it shows every scope of the run, or one. */
function badge(frame, right, y) {
  if (!isRun(frame)) return [];
  const words = `×${frame.times}`;
  const w = textWidth(words, 11, 600) + 12;
  const group = make(
    'svg:g',
    { class: 'badge', 'data-all': frame.index },
    make('svg:title', {}, frame.open === ALL ? 'show one' : `show all ${frame.times}`),
    rect('pill', { x: right - w, y, w, h: 16 }, 8),
    text(right - w / 2, y + 12, 'middle', ['count', words]),
  );
  return [group];
}
