// How much room everything takes, from the inside out. A sequence runs straight down its line; `left` and `right` of a size are
// measured from that line.

const LAYER = 24, BLOCK = 38, MERGE = 9, GAP = 9, PAD = 12, TITLE = 25, TAIL = 9, LEAVE = 5, LANE = 11, CORNER = 7;

const pen = document.createElement('canvas').getContext('2d');
const family = getComputedStyle(document.body).fontFamily;
const widths = new Map();

/** Pixels that a text takes; `weight` 600 is a title. */
function textWidth(text, size, weight = 400) {
  const key = `${weight} ${size}px ${text}`;
  if (!widths.has(key)) {
    pen.font = `${weight} ${size}px ${family}`;
    widths.set(key, Math.ceil(pen.measureText(text).width));
  }
  return widths.get(key);
}

/** The room of a layer's box: what it says, then its shape where that changes. */
function layerWidth(id) {
  const { caption, shape, changes } = nodes[id];
  return textWidth(caption, 12) + (changes ? textWidth(shape, 11) + 14 : 0) + 22;
}

/** The room of a folded frame: label, block and badge over what it holds and its parameters. */
function foldedWidth(frame) {
  const badge = isRun(frame) ? textWidth(`×${frame.times}`, 11, 600) + 20 : 0;
  const first = textWidth(frame.label, 12.5, 600) + textWidth(frame.block, 12) + badge + textWidth(frame.sums.shape, 11) + 46;
  return Math.max(first, textWidth(frame.words, 11) + textWidth(metric(frame.sums.params), 11) + 44);
}

const titleWidth = (frame) => textWidth(frame.label, 12.5, 600) + textWidth(frame.block, 12) + 32;

const tagWidth = (id) => (nodes[id].output ? textWidth(`→ ${nodes[id].output}`, 11) + 12 : 0);

/** The room of a sequence with its rows and the edges at its side. */
function measure(seq, owned) {
  const boxed = (elem) =>
    elem.layer !== undefined ? layerWidth(elem.layer) : elem.frame && elem.frame.open === FOLDED ? foldedWidth(elem.frame) : 0;
  const layer = Math.ceil(Math.max(124, ...seq.elems.map(boxed)) / 2) * 2;
  const rows = [];
  let bottom = 0;
  for (const elem of seq.elems) {
    const joined = rows.at(-1)?.columns !== undefined;
    let gap = GAP;
    if (rows.length === 0) gap = seq.in === null ? 0 : GAP - 2;
    else if (joined) gap = 2;
    const row = { ...room(elem, layer, joined, owned), top: bottom + gap };
    bottom = row.top + row.height;
    rows.push(row);
  }
  const lanes = laneOffsets(owned.get(seq) ?? [], rows);
  const reach = (right) =>
    Math.max(
      8,
      ...lanes.filter((lane) => onRight(lane) === right).map((lane) => lane.offset + 4),
      ...rows.map((row) => (right ? row.right : row.left)),
    );
  const tail = seq.in !== null && rows.length > 0 ? TAIL : 0;
  return { left: reach(false), right: reach(true), height: bottom + tail, layer, rows, lanes };
}

function room(elem, layer, joined, owned) {
  if (elem.layer !== undefined) {
    return { height: LAYER, left: layer / 2, right: layer / 2 + tagWidth(elem.layer) };
  }
  if (elem.merge !== undefined) {
    const text = textWidth(nodes[elem.merge].caption, 11) + tagWidth(elem.merge);
    return { height: 2 * MERGE + (joined ? 6 : 0), left: MERGE + LANE, right: MERGE + 8 + text };
  }
  if (elem.split) return splitRoom(elem.split, owned);
  if (elem.frame.open === FOLDED) {
    return { height: BLOCK, left: layer / 2 + 5 * elem.frame.sums.skips.size, right: layer / 2 + (isRun(elem.frame) ? 7 : 0) };
  }
  return frameRoom(elem.frame, owned);
}

function frameRoom(frame, owned) {
  const body = measure(shown(frame), owned);
  const badge = isRun(frame) ? textWidth(`×${frame.times}`, 11, 600) + 34 : 0;
  const pile = isRun(frame) && frame.open === OPEN ? 8 : 0;
  const left = body.left + PAD;
  const right = Math.max(body.right + PAD, titleWidth(frame) + badge + 14 - left) + pile;
  return { height: TITLE + body.height + pile, left, right, body, pile };
}

function splitRoom(columns, owned) {
  const sizes = columns.map((column) => measure(column.body, owned));
  const lines = columns.some((column) => column.role === 'main') ? aroundMain(columns, sizes) : sideBySide(sizes);
  const drop = CORNER + 2;
  return {
    height: Math.max(...sizes.map((size) => size.height)) + 2 * drop,
    left: Math.max(...sizes.map((size, i) => size.left - lines[i])),
    right: Math.max(...sizes.map((size, i) => size.right + lines[i])),
    columns: sizes.map((size, i) => ({ line: lines[i], size })),
  };
}

/** Lines of equal paths, centred around 0. */
function sideBySide(sizes) {
  let x = 0;
  const lines = sizes.map((size) => {
    const line = x + size.left;
    x = line + size.right + GAP;
    return line;
  });
  const middle = Math.round((x - GAP) / 2);
  return lines.map((line) => line - middle);
}

/** The main path on the line, what a skip goes through to its left, a gate's opening to its right. */
function aroundMain(columns, sizes) {
  const main = sizes[columns.findIndex((column) => column.role === 'main')];
  let { left, right } = main;
  return columns.map((column, i) => {
    const size = sizes[i];
    if (column.role === 'via') {
      const line = -(left + GAP + size.right);
      left = size.left - line;
      return line;
    }
    if (column.role === 'by') {
      const line = right + GAP + size.left;
      right = line + size.right;
      return line;
    }
    return 0;
  });
}
