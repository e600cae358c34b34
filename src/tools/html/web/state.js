// The network as it was given, and what is folded. A frame stands for a scope, or for a run of scopes that look the same.

const data = read('data');
const { nodes, root, arcs, files, plan } = data;

const FOLDED = 0, OPEN = 1, ALL = 2;

/** Every frame of the network, from the outside in: { label, block, times, body, parent, nodes, open }. */
const frames = [];
/** For each node the innermost frame around it. */
const home = new Map();

let sequences = 0;

function collect(seq, parent) {
  seq.id = sequences++;
  const found = [];
  for (const elem of seq.elems) {
    if (elem.layer !== undefined) found.push(elem.layer);
    if (elem.merge !== undefined) found.push(elem.merge);
    for (const column of elem.split ?? []) found.push(...collect(column.body, parent));
    if (elem.frame) {
      const frame = { ...elem.frame, body: elem.body, parent, open: FOLDED, index: frames.length };
      frames.push(frame);
      elem.frame = frame;
      frame.nodes = collect(elem.body, frame);
      frame.sums = sums(frame.nodes);
      found.push(...frame.nodes);
    }
  }
  for (const id of found) if (!home.has(id)) home.set(id, parent);
  return found;
}

function sums(ids) {
  const total = (key) => ids.reduce((sum, id) => sum + (nodes[id][key] ?? 0), 0);
  const skips = new Map();
  for (const id of ids) {
    const { look } = nodes[id];
    if (isMerge(id)) skips.set(look, (skips.get(look) ?? 0) + 1);
  }
  return { params: total('params'), macs: total('macs'), shape: nodes[ids.at(-1)].shape, skips };
}

function isMerge(id) {
  return ['add', 'concat', 'mul', 'gate'].includes(nodes[id].look);
}

/** Whether a frame stands for several scopes. */
const isRun = (frame) => frame.times > 1;

/** What stands in a frame as it is open now: one scope's layers, or the frames of all. */
function shown(frame) {
  if (isRun(frame) && frame.open === OPEN) return frame.body.elems[0].body;
  return frame.body;
}

/** Whether a run's scope is drawn while the run shows only one: its own frame is then the run's. */
const stoodFor = (frame) => frame.parent && isRun(frame.parent) && frame.parent.open !== ALL;

/** The frames around a node or frame that have a drawing of their own, from the outside in. */
function chain(frame) {
  const found = [];
  for (let around = frame; around; around = around.parent) {
    if (!stoodFor(around)) found.unshift(around);
  }
  return found;
}

/** Opens what hides a node. In a run that shows one scope, every scope is shown if the node is in another than the first. */
function reveal(id) {
  for (let frame = home.get(id); frame; frame = frame.parent) {
    if (frame.parent && isRun(frame.parent)) {
      const first = frame.parent.body.elems[0].frame === frame;
      frame.open = OPEN;
      if (!first || frame.parent.open === ALL) frame.parent.open = ALL;
      else frame.parent.open = OPEN;
    } else if (frame.open === FOLDED) {
      frame.open = OPEN;
    }
  }
}

/** `1,116,416` */
const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

function scaled(n, base, fine, units) {
  let unit = 0;
  while (n >= base && unit + 1 < units.length) {
    n /= base;
    unit += 1;
  }
  const number = unit === 0 ? String(n) : n.toFixed(n < fine ? 2 : 1);
  return `${number} ${units[unit]}`.trim();
}

/** `118.0 M` */
const metric = (n) => scaled(n, 1000, 100, ['', 'k', 'M', 'G', 'T', 'P', 'E']);
/** `83.2 MiB` */
const bytes = (n) => scaled(n, 1024, 10, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']);

/** Kinds that go without saying. */
const QUIET = ['batch_norm', 'relu', 'relu6'];

/** What a folded frame holds, in words: `Bottleneck ×36`; nothing where it says nothing new. */
function contents(frame) {
  const counts = new Map();
  const count = (seq) => {
    for (const elem of seq.elems) {
      for (const column of elem.split ?? []) count(column.body);
      const block = elem.frame?.block;
      if (block) counts.set(block, (counts.get(block) ?? 0) + elem.frame.times);
    }
  };
  const body = isRun(frame) ? frame.body.elems[0].body : frame.body;
  count(body);
  if (counts.size === 0) {
    const kinds = frame.nodes.slice(0, frame.nodes.length / frame.times).map((id) => nodes[id].kind);
    for (const kind of kinds) if (!QUIET.includes(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].slice(0, 3).map(([block, n]) => (n > 1 ? `${block} ×${n}` : block)).join(', ');
}

collect(root, null);
for (const frame of frames) frame.words = contents(frame);
