// Where everything stands, from the outside in. Gives items (what can be pointed at, in reading order), wires and texts.

/** The picture as things are folded now: { width, height, items, wires, dots, notes }. */
function layout() {
  const found = places(root, [], new Map());
  const size = measure(root, owners(found));
  const place = new Place(found);
  const x = size.left + 20;
  place.seq(root, size, x, 16, 'line', 1);
  place.output(size, x);
  return { ...place, width: size.left + size.right + 40, height: size.height + 16 + (place.end ? LAYER + GAP : 0) + 24 };
}

class Place {
  items = [];
  wires = [];
  dots = [];
  notes = [];
  /** Under each drawn layer: where an edge from it leaves. */
  below = new Map();
  /** Beside each drawn layer: its middle, and half its width. */
  beside = new Map();

  constructor(found) {
    this.found = found;
  }

  wire(path, look, arrow, arc) {
    this.wires.push({ path, look, arrow, arc });
  }

  /** A sequence whose line starts at `x`, `y`, in a colour. */
  seq(seq, size, x, y, look, level) {
    let above = seq.in === null ? null : y;
    let paths = [];
    seq.elems.forEach((elem, i) => {
      const row = size.rows[i];
      const top = y + row.top;
      if (above !== null && seq.linked[i] && paths.length === 0) this.wire(`M${x} ${above}V${top}`, look);
      let end = top + row.height;
      if (elem.layer !== undefined) this.layer(elem.layer, x, top, size.layer, level);
      else if (elem.merge !== undefined) {
        // What opens a gate arrives from the right, where else the words stand.
        const low = paths.some(({ column }) => column.role === 'by') ? 9 : 0;
        this.join(paths, x, top);
        paths = [];
        this.merge(elem.merge, x, top, level, low);
        end = top + 2 * MERGE;
      } else if (elem.split) paths = this.split(elem.split, row, x, top, level);
      else if (elem.frame.open === FOLDED) this.folded(elem.frame, x, top, size.layer, level);
      else this.frame(elem.frame, row, x, top, level);
      above = end;
    });
    if (above !== null && seq.in !== null) this.wire(`M${x} ${above}V${y + size.height}`, look);
    this.lanes(size, x, y);
  }

  item(item, key, x, y, half) {
    this.items.push(item);
    if (key !== undefined) {
      this.below.set(key, [x, item.y + item.h + LEAVE]);
      this.beside.set(key, [x, y, half]);
    }
  }

  layer(id, x, top, width, level) {
    this.item({ layer: id, x: x - width / 2, y: top, w: width, h: LAYER, level }, id, x, top + LAYER / 2, width / 2);
    this.tag(id, x + width / 2 + 8, top + 16);
  }

  merge(id, x, top, level, low) {
    this.item({ merge: id, low, x: x - MERGE, y: top, w: 2 * MERGE, h: 2 * MERGE, level }, id, x, top + MERGE, MERGE);
    this.tag(id, x + MERGE + 14 + textWidth(nodes[id].caption, 11), top + MERGE + 4);
  }

  tag(id, x, y) {
    const end = root.elems.at(-1);
    if (nodes[id].output && outputOf(end) !== id) this.notes.push({ x, y, text: `→ ${nodes[id].output}` });
  }

  folded(frame, x, top, width, level) {
    this.item({ frame, x: x - width / 2, y: top, w: width, h: BLOCK, level });
    for (const id of frame.nodes) this.beside.set(id, [x, top + BLOCK / 2, width / 2]);
  }

  frame(frame, row, x, top, level) {
    const { left, right, height, body, pile } = row;
    this.item({ frame, x: x - left, y: top, w: left + right - pile, h: height - pile, level, line: x });
    // What a run does not show stands where its frame stands.
    for (const id of frame.nodes) this.beside.set(id, [x, top + TITLE / 2, left]);
    if (x - left + titleWidth(frame) < x - 4) this.wire(`M${x} ${top}V${top + TITLE}`, 'line');
    this.seq(shown(frame), body, x, top + TITLE, 'line', level + 1);
    if (pile) this.wire(`M${x} ${top + height - pile}V${top + height}`, 'line');
  }

  /** Paths side by side; where each ends. */
  split(columns, row, x, top, level) {
    const start = top + CORNER + 2;
    const bottom = top + row.height - CORNER - 2;
    return columns.map((column, i) => {
      const { line: dx, size } = row.columns[i];
      const line = x + dx;
      const look = column.role === 'via' ? edgeLook(column) : 'line';
      this.wire(sideways(x, top - 2, line, start), look);
      this.seq(column.body, size, line, start, look, level);
      const along = column.role === 'main' || column.role === 'path';
      if (along) this.wire(`M${line} ${start + size.height}V${bottom}`, look);
      return { line, end: along ? bottom : start + size.height, column, look };
    });
  }

  /** Leads paths into the merge whose top is at `x`, `top`. */
  join(paths, x, top) {
    const middle = top + MERGE;
    for (const { line, end, column, look } of paths) {
      if (column.role === 'main' || column.role === 'path') {
        this.wire(sidewaysIn(line, end, x, top), look);
        continue;
      }
      const side = column.role === 'via' ? -1 : 1;
      const turn = `V${middle - CORNER}Q${line} ${middle} ${line - side * CORNER} ${middle}`;
      this.wire(`M${line} ${end}${turn}H${x + side * (MERGE + 1)}`, look, column.ink);
    }
  }

  lanes(size, x, y) {
    for (const lane of size.lanes) {
      const { arc } = lane;
      const row = lane.from === null ? null : size.rows[lane.from];
      const outside = [x, row ? y + row.top + row.height + LEAVE - (row.pile ?? 0) : y + LEAVE];
      const inside = lane.inside ? this.below.get(arc.from) : undefined;
      const [fromX, fromY] = inside ?? outside;
      const end = this.beside.get(arc.to);
      if (!end) continue;
      const [toX, toY, half] = end;
      const side = onRight(lane) ? 1 : -1;
      const at = x + side * lane.offset;
      const bend = Math.min(arc.long ? 16 : 9, (toY - fromY) / 2);
      const path =
        `M${fromX} ${fromY}H${at - side * bend}Q${at} ${fromY} ${at} ${fromY + bend}V${toY - bend}` +
        `Q${at} ${toY} ${at - side * bend} ${toY}H${toX + side * (half + 1)}`;
      this.wire(path, edgeLook(arc), arc.ink, arc);
      this.dots.push({ x: fromX, y: fromY, look: arc.ink });
      if (arc.note) this.notes.push({ x: at + 12, y: toY - 5, text: arc.note });
    }
  }

  /** The last value's name, under the line. */
  output(size, x) {
    const id = outputOf(root.elems.at(-1));
    if (id === undefined || !nodes[id].output) return;
    const y = 16 + size.height;
    this.wire(`M${x} ${y}V${y + GAP}`, 'line', 'line');
    const text = `${nodes[id].output}  ${nodes[id].shape}`;
    this.end = { x, y: y + GAP, w: textWidth(text, 12) + 28, h: LAYER, text };
  }
}

const edgeLook = (edge) => `${edge.ink}${edge.long ? ' long' : ''}`;

/** From the line at `x` sideways to another and down. */
function sideways(x, y, line, end) {
  if (x === line) return `M${x} ${y}V${end}`;
  const corner = CORNER * Math.sign(line - x);
  return `M${x} ${y}H${line - corner}Q${line} ${y} ${line} ${y + CORNER}V${end}`;
}

/** From a path's end down and sideways to the line at `x`, down to `top`. */
function sidewaysIn(line, end, x, top) {
  if (x === line) return `M${x} ${end}V${top}`;
  const corner = CORNER * Math.sign(x - line);
  const y = end + CORNER;
  return `M${line} ${end}Q${line} ${y} ${line + corner} ${y}H${x - corner}Q${x} ${y} ${x} ${Math.min(y + CORNER, top)}V${top}`;
}
