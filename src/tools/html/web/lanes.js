// Edges that do not run straight down: which sequence each belongs to as things are folded now, and how far from the line it runs.

/** Plain edges run on the right, skips on the left. */
const onRight = (lane) => lane.arc.ink === 'line';

/** For each node where it is drawn: elements by sequence and position, from the outside in. */
function places(seq, outside, found) {
  seq.elems.forEach((elem, at) => {
    const path = [...outside, { seq, at }];
    if (elem.layer !== undefined) found.set(elem.layer, path);
    if (elem.merge !== undefined) found.set(elem.merge, path);
    for (const column of elem.split ?? []) places(column.body, path, found);
    if (elem.frame) {
      for (const id of elem.frame.nodes) found.set(id, path);
      if (elem.frame.open !== FOLDED) places(shown(elem.frame), path, found);
    }
  });
  return found;
}

/** The value that goes on below an element; nothing for paths before their merge. */
function outputOf(elem) {
  if (elem.frame) return elem.frame.nodes.at(-1);
  return elem.layer ?? elem.merge;
}

/** The edges of each sequence: each belongs to the innermost one that holds both ends, or whose incoming value is its source. */
function owners(found) {
  const owned = new Map();
  const seen = new Set();
  for (const arc of arcs) {
    const target = found.get(arc.to);
    const lane = target && route(arc, target, found.get(arc.from) ?? []);
    if (!lane) continue;
    // Several edges between two folded frames are drawn once.
    const key = `${lane.seq.id} ${standing(target)} ${standing(found.get(arc.from) ?? [])} ${arc.ink} ${arc.long}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (!owned.has(lane.seq)) owned.set(lane.seq, []);
    owned.get(lane.seq).push(lane);
  }
  return owned;
}

const standing = (path) => path.map((step) => `${step.seq.id}:${step.at}`).join('/');

function route(arc, target, source) {
  for (const { seq, at } of [...target].reverse()) {
    // The skip around what a folded frame starts with stands at the frame's own edge.
    const { frame } = seq.elems[at];
    if (frame && arc.ink !== 'line' && frame.body.in === arc.from && target.at(-1).seq === seq && seq.linked[at]) return null;
    const step = source.find((other) => other.seq === seq);
    if (step) {
      // Both ends in one folded frame, or in scopes that another stands for: nothing to draw.
      if (step.at === at) return null;
      return { arc, seq, from: step.at, to: at, inside: outputOf(seq.elems[step.at]) !== arc.from };
    }
    // What a frame reads from elsewhere arrives from outside the frame.
    const outside = arc.ink === 'line' && at === 0;
    if (seq.in === arc.from && !outside) return { arc, seq, from: null, to: at, inside: false };
  }
  return null;
}

/** The distance of each edge from the line: beyond everything it passes, shorter edges first. */
function laneOffsets(list, rows) {
  const start = (lane) => lane.from ?? -1;
  const order = [...list].sort((a, b) => a.to - start(a) - (b.to - start(b)) || a.to - b.to);
  const done = [];
  for (const lane of order) {
    const first = lane.from === null ? 0 : lane.inside ? lane.from : lane.from + 1;
    const right = onRight(lane);
    const beside = rows.slice(Math.min(first, lane.to), lane.to + 1).map((row) => (right ? row.right : row.left));
    const overlapping = done.filter((other) => onRight(other) === right && start(other) < lane.to && start(lane) < other.to);
    const sweep = lane.arc.long ? 2 : 0;
    done.push({ ...lane, offset: Math.max(...beside, ...overlapping.map((other) => other.offset)) + LANE + sweep });
  }
  return done;
}
