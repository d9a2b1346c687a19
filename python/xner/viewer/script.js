"use strict";
// Everything from the table goes into the page as text (textContent, attributes, SVG numbers), never as markup.

const ITEM_HEIGHT = 54; // px; the list draws only what is in sight, so its items share one height (style.css: .item)
const LONG = 120; // words; above this the sentences stand side by side and only the entities' links are drawn
const HINT = "Point at a word to see its links, at an entity to see its projection; a click keeps it.";
const PRINT_WIDTH = 680; // px; the printable width of a portrait page

const data = JSON.parse(byId("data").textContent);
const rows = data.rows.map(prepare);
const colours = new Map(Object.entries(data.colours));
const state = { visible: [], row: null, pairs: [], links: [], words: {}, anchors: {}, pinned: false, chosen: {} };

// -- helpers ------------------------------------------------------------------------------------------------

function byId(id) { return document.getElementById(id); }

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// Infinite margins and scores come as the strings "Infinity" and "-Infinity".
function number(value) { return value === null || value === undefined ? null : Number(value); }

function format(value, digits = 3) {
  if (value === null) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return value.toFixed(digits).replace("-", "−");
}

function count(value) { return value.toLocaleString("en"); }

function colour(label) { return `c${colours.get(label) ?? 7}`; }

function classText(label, times) {
  return make("span", `class ${colour(label)}`, times === undefined ? label : `${label} ${count(times)}`);
}

function covers(span, word) { return Boolean(span) && span.start <= word && word < span.end; }

function overlap(one, other) { return one.start < other.end && other.start < one.end; }

function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

// -- rows ---------------------------------------------------------------------------------------------------

function prepare(raw, k) {
  const spans = (list) => list && list.map(([start, end, label, score, margin, source, reason]) =>
    ({ start, end, label, score: number(score), margin: number(margin), source: number(source), reason }));
  const row = {
    ...raw, index: data.first_row + k, tokens: raw.tokens ?? [], source_entities: spans(raw.source_entities),
    entities: spans(raw.entities), gold: spans(raw.gold),
    dropped: spans(raw.dropped) ?? [], adjusted: spans(raw.adjusted) ?? [],
  };
  const projected = row.entities ?? [];
  const every = [...projected, ...(row.source_entities ?? []), ...(row.gold ?? [])];
  row.classes = new Set(every.map((span) => span.label));
  const lowest = (name) => Math.min(...projected.map((span) => span[name] ?? Infinity));
  row.margin = lowest("margin");
  row.score = lowest("score");
  const key = (span) => `${span.start} ${span.end} ${span.label}`;
  const [ours, theirs] = [projected, row.gold ?? []].map((list) => new Set(list.map(key)));
  for (const span of projected) span.exact = theirs.has(key(span));
  for (const span of row.gold ?? []) span.exact = ours.has(key(span));
  row.differs = row.gold !== null && ![...projected, ...row.gold].every((span) => span.exact);
  return row;
}

function searchText(row) {
  if (row.text !== undefined) return row.text;
  // Also without blanks: scripts that do not use them are searched by phrases, not by words.
  const [target, source] = [row.tokens, row.source_tokens ?? []];
  const texts = [row.id ?? "", target.join(" "), target.join(""), source.join(" "), source.join("")];
  row.text = texts.join("\n").toLowerCase();
  return row.text;
}

// Where a pair lies in the target sentence.
function inTarget({ target, dropped, gold }) { return target ?? dropped ?? gold; }

function within(row, span, side) {
  return (side === "source" ? row.source_tokens : row.tokens).slice(span.start, span.end).join(" ");
}

// One pair a line of the table: a projected entity with its source, one that a filter dropped, a source entity left
// alone, a missed gold entity.
function pairUp(row) {
  const none = { source: null, target: null, dropped: null, gold: null };
  const [sources, targets] = [row.source_entities ?? [], row.entities ?? []];
  const sourceOf = (span) => sources[span.source ?? -1] ?? null;
  const pairs = targets.map((target) => ({ ...none, target, source: sourceOf(target) }));
  pairs.sort((a, b) => a.target.start - b.target.start);
  pairs.push(...row.dropped.map((dropped) => ({ ...none, dropped, source: sourceOf(dropped) })));
  // Where a span does not say which source entity it came from (labels never do), none can be called left alone.
  if (row.entities && !row.from_labels && targets.every((target) => (target.source ?? -1) >= 0)) {
    const used = new Set(pairs.map((pair) => pair.source));
    for (const source of sources) if (!used.has(source)) pairs.push({ ...none, source });
  }
  // A gold entity that a projection overlaps is told of beside that projection.
  for (const gold of row.gold ?? []) {
    if (!gold.exact && !targets.some((target) => overlap(target, gold))) pairs.push({ ...none, gold });
  }
  return pairs;
}

function agreement(row, span) {
  if (span.exact) return make("span", "good", "✓ same");
  const same = row.gold.find((gold) => gold.start === span.start && gold.end === span.end);
  if (same) return make("span", "bad", `✗ gold class is ${same.label}`);
  const near = row.gold.find((gold) => overlap(gold, span));
  if (!near) return make("span", "bad", "✗ not in gold");
  const place = make("small", "", `[${near.start}, ${near.end})`);
  const words = make("bdi", "", within(row, near, "target"));
  return make("span", "bad", `✗ gold is ${near.label} “`, words, "”", place);
}

// -- summary and list ---------------------------------------------------------------------------------------

function showSummary() {
  const { classes, statuses, dropped, mean_score: mean } = data.summary;
  const entry = (name, ...values) => {
    const cells = values.map((value) => make("dd", "", value));
    byId("summary").append(make("div", "", make("dt", "", name), ...cells));
  };
  entry("rows", count(data.total_rows));
  const total = Object.values(classes).reduce((sum, times) => sum + times, 0);
  entry("entities", count(total), ...Object.entries(classes).map(([name, times]) => classText(name, times)));
  if (mean !== null) entry("mean score", format(number(mean)));
  for (const [name, counts] of [["status", statuses], ["dropped by filters", dropped]]) {
    const named = Object.entries(counts);
    if (named.length) entry(name, ...named.map(([value, times]) => `${value} ${count(times)}`));
  }
  if (rows.length < data.total_rows) entry("on this page", `only ${count(rows.length)} of them: ${rowsHere()}`);
}

function rowsHere() { return `rows ${data.first_row} to ${data.first_row + rows.length - 1}`; }

function fillFilters() {
  const options = (id, all, values) => {
    byId(id).append(new Option(all, ""), ...values.map(([value, text]) => new Option(text, value)));
    byId(id).disabled = values.length === 0;
  };
  const tallied = (values) =>
    [...tally(values)].sort((a, b) => b[1] - a[1]).map(([value, times]) => [value, `${value} (${count(times)})`]);
  options("by-status", "Any status", tallied(rows.flatMap((row) => row.status ?? [])));
  options("by-class", "Any class", tallied(rows.flatMap((row) => [...row.classes])));
  const compared = rows.filter((row) => row.gold).length;
  const differing = rows.filter((row) => row.differs).length;
  options("by-gold", compared ? "Any agreement" : "No gold labels", !compared ? [] : [
    ["differs", `Differs from gold (${count(differing)})`],
    ["agrees", `Agrees with gold (${count(compared - differing)})`],
  ]);
}

function filterRows() {
  const query = byId("search").value.trim().toLowerCase();
  const [status, label, gold, order] = ["by-status", "by-class", "by-gold", "sort"].map((id) => byId(id).value);
  state.visible = rows.filter((row) =>
    (!status || row.status === status)
    && (!label || row.classes.has(label))
    && (!gold || (row.gold !== null && row.differs === (gold === "differs")))
    && (!query || searchText(row).includes(query)));
  // Rows without a margin sort last (Infinity − Infinity is NaN: then the table's order decides).
  if (order !== "index") state.visible.sort((a, b) => a[order] - b[order] || a.index - b.index);
  const all = state.visible.length === rows.length;
  byId("count").textContent = `${all ? "" : `${count(state.visible.length)} of `}${count(rows.length)} rows`;
  byId("list").scrollTop = 0;
  revealInList();
}

function drawList() {
  const list = byId("list");
  const first = Math.max(0, Math.floor(list.scrollTop / ITEM_HEIGHT) - 5);
  const last = first + Math.ceil((list.clientHeight || 600) / ITEM_HEIGHT) + 10;
  byId("window").style.height = `${state.visible.length * ITEM_HEIGHT}px`;
  byId("window").replaceChildren(...state.visible.slice(first, last).map((row, k) => listItem(row, first + k)));
}

function listItem(row, position) {
  const classes = [...tally((row.entities ?? []).map((span) => span.label))];
  const facts = make("span", "facts", ...classes.slice(0, 3).map(([label, times]) => classText(label, times)));
  const fact = (className, words, title) => facts.append(Object.assign(make("span", className, words), { title }));
  if (Number.isFinite(row.margin)) fact("", `Δ ${format(row.margin, 2)}`, "lowest margin");
  if (row.status && row.status !== "ok") fact("", row.status, "status");
  if (row.differs) fact("bad", "✗", "differs from gold");
  const text = make("p", "", row.tokens.slice(0, 30).join(" ") || "(no words)");
  text.dir = "auto";
  const name = make("span", "name", row.id === null ? `${row.index}` : `${row.index} · ${row.id}`);
  const item = make("div", "item", make("div", "", name, facts), text);
  item.id = `item-${row.index}`;
  item.style.top = `${position * ITEM_HEIGHT}px`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", row === state.row);
  item.addEventListener("click", () => openRow(row));
  return item;
}

function revealInList() {
  const list = byId("list");
  const top = state.visible.indexOf(state.row) * ITEM_HEIGHT;
  if (top >= 0 && (top < list.scrollTop || top + ITEM_HEIGHT > list.scrollTop + list.clientHeight)) {
    list.scrollTop = Math.max(0, top - list.clientHeight / 2);
  }
  drawList();
}

// -- one row ------------------------------------------------------------------------------------------------

function openRow(row) {
  Object.assign(state, { row, pairs: pairUp(row), pinned: false });
  state.links = (row.links ?? []).map(([source, target, score]) => {
    const joined = state.pairs.find((pair) => covers(pair.source, source) && covers(pair.target, target));
    const touched = state.pairs.some((pair) => covers(pair.source, source) || covers(pair.target, target));
    const inside = joined ? joined.target.label : null;
    return { source, target, score: number(score), inside, leaving: touched && !joined };
  });
  const long = Math.max(row.tokens.length, row.source_tokens?.length ?? 0) > LONG;
  const wide = byId("figure").clientWidth > 700;
  choose("links", state.chosen.links ?? (long ? "entities" : "all"));
  choose("layout", state.chosen.layout ?? (long && wide ? "side" : "stacked"));
  byId("figure").classList.toggle("side", chosen("layout") === "side" && Boolean(row.source_tokens));
  byId("link-mode").hidden = !row.links;
  byId("layout").hidden = !row.source_tokens;

  showHead(row);
  showSentence("source", row.source_tokens, row.source_entities ?? [], []);
  showSentence("target", row.tokens, row.entities ?? [], row.gold ?? []);
  showPairs(row);
  layOut();
  revealInList();
  document.querySelector("main").scrollTop = 0;
  byId("list").setAttribute("aria-activedescendant", `item-${row.index}`);
  // Inside a notebook's frame the address may not be changed; the page works without.
  try { history.replaceState(null, "", `#row=${row.index}`); } catch { /* stays as it is */ }
}

function choose(name, value) { document.querySelector(`input[name=${name}][value=${value}]`).checked = true; }

function chosen(name) { return document.querySelector(`input[name=${name}]:checked`).value; }

function showHead(row) {
  const title = byId("row-title");
  title.replaceChildren(`Row ${row.index}`);
  if (row.id !== null) title.append(make("span", "", row.id));
  if (row.status !== null) title.append(" ", make("span", `badge ${row.status === "ok" ? "" : "bad"}`, row.status));
  const dispensable = ["id", "status", ...(row.entities ? ["labels"] : [])];
  const lacking = data.missing.filter((name) => !dispensable.includes(name));
  const notes = [];
  if (row.problem !== null) notes.push(`Wrong and skipped: ${row.problem}.`);
  if (row.tokens.length === 0) notes.push("This row has no target words.");
  if (lacking.length) notes.push(`Not in this table: ${lacking.join(", ")}.`);
  if (row.null.length) notes.push(`Null in this row: ${row.null.join(", ")}.`);
  if (row.from_labels) notes.push("Entities are read from the labels: no scores, margins or source entities.");
  if (row.labels_differ) notes.push("The labels hold other spans than the entities, which are what is shown.");
  byId("notes").replaceChildren(...notes.map((note) => make("li", "", note)));
}

// Overlapping spans go to further lanes: the first lane is the coloured band, the others are bars.
function lanes(spans) {
  const filled = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const lane = filled.find((others) => others.at(-1).end <= span.start);
    if (lane) lane.push(span); else filled.push([span]);
  }
  return filled;
}

function showSentence(side, words, spans, gold) {
  state.words[side] = [];
  byId(side).replaceChildren();
  if (!words) return;
  const sentence = make("div", "sentence");
  sentence.dir = "auto";
  state.words[side] = words.map((word, index) => {
    const text = make("span", word.trim() ? "text" : "text blank", word.trim() ? word : "␣");
    const cell = make("span", "word", text);
    cell.dataset.side = side;
    cell.dataset.index = index;
    return cell;
  });
  const bands = lanes(spans);
  const golds = lanes(gold);
  bands.forEach((lane, k) => lane.forEach((span) => mark(side, span, k, k ? "bar" : "band", span.label)));
  golds.forEach((lane, k) => lane.forEach((span) => {
    const [kind, label] = span.exact ? ["bar gold", "✓"] : ["bar gold missed", `✗ ${span.label}`];
    mark(side, span, bands.length + k, kind, label);
  }));
  sentence.append(...state.words[side].flatMap((cell) => [cell, "\u200b"])); // may break between any two words
  const legend = golds.length ? "; thin bars: gold, dashed where it differs" : "";
  const caption = `${side === "source" ? "Source" : "Target"}, ${words.length} words${legend}`;
  byId(side).append(make("h3", "", caption), sentence);
}

// Marks a span's words in one lane: the first lane's spans also colour the words themselves.
function mark(side, span, lane, kind, label) {
  for (let i = span.start; i < span.end; i += 1) {
    const cell = state.words[side][i];
    const edges = { start: i === span.start, end: i === span.end - 1 };
    const name = make("span", "", label);
    name.dir = "ltr"; // keeps labels out of the guess that dir="auto" makes from the words
    const track = make("span", `track ${kind} ${colour(span.label)}`, make("i", "", name));
    for (const [edge, on] of Object.entries(edges)) track.classList.toggle(edge, on);
    track.style.setProperty("--k", lane);
    cell.firstChild.append(track);
    cell.style.setProperty("--tracks", lane + 1);
    if (kind === "band") {
      cell.classList.add("in", colour(span.label));
      cell.classList.toggle("first", edges.start);
      cell.classList.toggle("last", edges.end);
    }
    // Room for the label, so that those of neighbouring spans never run into each other.
    const room = (label.length * 7.2 + 10) / (span.end - span.start);
    cell.style.minWidth = `${Math.max(room, parseFloat(cell.style.minWidth) || 0)}px`;
  }
}

function showPairs(row) {
  const holder = byId("pairs");
  if (!state.pairs.length) {
    const text = row.entities ? "No entities in this row." : "This row has neither entities nor labels.";
    holder.replaceChildren(make("p", "quiet", text));
    return;
  }
  const columns = pairColumns(row).filter((column) => column);
  const head = make("tr", "", ...columns.map(([name, className]) => make("th", className, name)));
  const lines = state.pairs.map((pair) => {
    pair.line = make("tr", "", ...columns.map(([, className, content]) => {
      const found = content(pair);
      return typeof found === "string" ? make("td", className || "none", found) : make("td", className, found);
    }));
    pair.line.addEventListener("mouseenter", () => { if (!state.pinned) focusPair(pair); });
    pair.line.addEventListener("mouseleave", () => { if (!state.pinned) letGo(); });
    return pair.line;
  });
  holder.replaceChildren(make("table", "", make("thead", "", head), make("tbody", "", ...lines)));
}

// What filters did to an entity; null where they let it be.
function filtered(row, { target, dropped }) {
  if (dropped) return make("span", "bad", `✗ dropped by ${dropped.reason}`);
  const before = target ? row.adjusted.filter((span) => span.source === target.source) : [];
  if (!before.length) return null;
  return make("span", "", before.map((span) => `${span.reason}: was [${span.start}, ${span.end})`).join(", "));
}

// Name, class and content of each column; a content that is a plain word (not an element) is a remark.
function pairColumns(row) {
  const scored = !row.from_labels;
  const words = (span, side) => make("span", "", make("bdi", "", within(row, span, side)),
    make("small", "", `[${span.start}, ${span.end})`));
  const figure = ({ target, dropped }, name) => (target ?? dropped ? format((target ?? dropped)[name]) : "");
  const verdict = ({ target, gold }) =>
    target ? agreement(row, target) : gold ? make("span", "bad", "✗ missed") : null;
  return [
    scored && ["Source", "", ({ source, gold }) => (source ? words(source, "source") : gold ? "none" : "unknown")],
    [scored ? "Projected onto" : "Words", "", (pair) =>
      (inTarget(pair) ? words(inTarget(pair), "target") : "not projected")],
    ["Class", "", (pair) => classText((inTarget(pair) ?? pair.source).label)],
    scored && ["Score", "number", (pair) => figure(pair, "score")],
    scored && ["Margin", "number", (pair) => figure(pair, "margin")],
    row.dropped.length + row.adjusted.length > 0 && ["Filters", "", (pair) => filtered(row, pair)],
    row.gold && ["Gold", "", verdict],
  ];
}

// -- links --------------------------------------------------------------------------------------------------

// Measures where the words came to lie. To be called whenever lines may have wrapped anew.
function layOut() {
  const origin = byId("figure").getBoundingClientRect();
  for (const side of ["source", "target"]) {
    const boxes = state.words[side].map((cell) => cell.firstChild.getBoundingClientRect());
    state.anchors[side] = boxes.map((box) => ({
      x: (box.left + box.right) / 2 - origin.left, top: box.top - origin.top, bottom: box.bottom - origin.top,
    }));
    const column = byId(side).getBoundingClientRect();
    state.anchors[side].edge = (side === "source" ? column.right : column.left) - origin.left;
    // A span that goes on in a new line says its label again there.
    const wrapped = (i) => i > 0 && boxes[i].top > boxes[i - 1].bottom - 1;
    state.words[side].forEach((cell, i) => cell.classList.toggle("wrapped", wrapped(i)));
  }
  const mode = chosen("links");
  const ofEntity = (link) => link.inside !== null || link.leaving;
  const drawn = state.links.filter((link) => mode === "all" || (mode === "entities" && ofEntity(link)));
  // Entities' links last, so that they lie on top.
  drawn.sort((a, b) => Number(a.inside !== null) - Number(b.inside !== null));
  byId("base").replaceChildren(...drawn.map((link) => wire(link, false)));
}

function wire(link, strong) {
  const [a, b] = [state.anchors.source[link.source], state.anchors.target[link.target]];
  const path = document.createElementNS(byId("wires").namespaceURI, "path");
  if (byId("figure").classList.contains("side")) {
    // Along the gap below the source line, across, along the gap above the target line; a little spread in the gaps.
    const [y1, y2] = [a.bottom + 2 + (link.source % 4), b.top - 2 - (link.target % 4)];
    const [x1, x2] = [state.anchors.source.edge, state.anchors.target.edge];
    const middle = (x1 + x2) / 2;
    path.setAttribute("d", `M${a.x} ${a.bottom} Q${a.x} ${y1} ${a.x + 5} ${y1} L${x1} ${y1} `
      + `C${middle} ${y1} ${middle} ${y2} ${x2} ${y2} L${b.x - 5} ${y2} Q${b.x} ${y2} ${b.x} ${b.top}`);
  } else {
    const bend = Math.max(24, (b.top - a.bottom) / 2);
    path.setAttribute("d", `M${a.x} ${a.bottom} C${a.x} ${a.bottom + bend} ${b.x} ${b.top - bend} ${b.x} ${b.top}`);
  }
  const score = link.score === null ? 0.7 : Math.min(1, Math.max(0, link.score));
  const entity = link.inside !== null;
  if (entity) path.setAttribute("class", colour(link.inside));
  else if (link.leaving) path.setAttribute("class", "leaving");
  path.setAttribute("stroke-width", (strong ? 1.2 : entity ? 1 : 0.6) + score * (entity ? 1.8 : 1.1));
  path.setAttribute("stroke-opacity", strong ? 0.55 + 0.45 * score : (entity ? 0.35 : 0.2) + 0.55 * score);
  return path;
}

// -- focus: a word with its partners, an entity with its projection -----------------------------------------

function letGo() {
  state.pinned = false;
  byId("figure").classList.remove("focused");
  byId("focus").replaceChildren();
  byId("inspector").textContent = HINT;
  for (const cell of [...state.words.source, ...state.words.target]) cell.classList.remove("hot", "kin");
  for (const pair of state.pairs) pair.line?.classList.remove("hot");
}

function showFocus(links, hot, pairs, ...description) {
  letGo();
  byId("figure").classList.add("focused");
  byId("focus").replaceChildren(...links.map((link) => wire(link, true)));
  for (const cell of hot) cell.classList.add("hot");
  for (const { line, ...pair } of pairs) {
    const spans = { source: pair.source, target: inTarget(pair) };
    for (const [side, span] of Object.entries(spans)) {
      for (const cell of span ? state.words[side].slice(span.start, span.end) : []) cell.classList.add("kin");
    }
    line?.classList.add("hot");
  }
  byId("inspector").replaceChildren(...description);
}

function focusWord(side, index) {
  const other = side === "source" ? "target" : "source";
  const links = state.links.filter((link) => link[side] === index).sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
  const hot = [state.words[side][index], ...links.map((link) => state.words[other][link[other]])];
  const pairs = state.pairs.filter((pair) => covers(pair[side], index));
  const words = { source: state.row.source_tokens, target: state.row.tokens };
  const partners = links.flatMap((link, k) => {
    const score = link.score === null ? "" : `: ${format(link.score)}`;
    return [k ? ", " : " – linked to ", make("b", "", words[other][link[other]]), ` (${link[other]}${score})`];
  });
  if (!links.length && state.row.links) partners.push(" – no links");
  showFocus(links, hot, pairs, `${side} word ${index} `, make("b", "", words[side][index]), ...partners,
    ...pairs.flatMap((pair) => ["; ", ...describe(pair)]));
}

function focusPair(pair) {
  const links = state.links.filter((link) => covers(pair.source, link.source) || covers(pair.target, link.target));
  showFocus(links, [], [pair], ...describe(pair));
}

function describe({ source, target, dropped, gold }) {
  const words = (span, side) => make("b", "", within(state.row, span, side));
  if (gold) return [`${gold.label} `, words(gold, "target"), ", gold only"];
  const projected = target ?? dropped;
  const parts = [`${(projected ?? source).label} `];
  if (source) parts.push(words(source, "source"), projected ? " → " : " not projected");
  if (projected) parts.push(words(projected, "target"));
  for (const name of ["score", "margin"]) {
    if (number(projected?.[name]) !== null) parts.push(`, ${name} ${format(projected[name])}`);
  }
  if (dropped) parts.push(`, dropped by ${dropped.reason}`);
  return parts;
}

// -- events -------------------------------------------------------------------------------------------------

function step(by) {
  const position = state.visible.indexOf(state.row);
  const next = state.visible[position < 0 ? 0 : position + by];
  if (next) openRow(next);
}

function openFromAddress() {
  const wanted = /^#row=(\d+)$/.exec(location.hash);
  const index = wanted ? Number(wanted[1]) : data.open_row;
  const row = rows[index - data.first_row];
  if (row === state.row) return;
  openRow(row ?? state.row ?? rows[data.open_row - data.first_row]);
  if (!row) byId("notes").append(make("li", "bad", `Row ${index} is not on this page, which holds ${rowsHere()}.`));
}

function listen() {
  const figure = byId("figure");
  const cellOf = (event) => event.target.closest?.(".word");
  const focusCell = (cell) => focusWord(cell.dataset.side, Number(cell.dataset.index));
  figure.addEventListener("mouseover", (event) => {
    if (state.pinned) return;
    const cell = cellOf(event);
    if (cell) focusCell(cell); else letGo();
  });
  figure.addEventListener("mouseleave", () => { if (!state.pinned) letGo(); });
  figure.addEventListener("click", (event) => {
    const cell = cellOf(event);
    letGo();
    if (cell) { focusCell(cell); state.pinned = true; }
  });
  new ResizeObserver(() => { layOut(); if (!state.pinned) letGo(); }).observe(figure);
  new ResizeObserver(drawList).observe(byId("list"));
  byId("list").addEventListener("scroll", drawList, { passive: true });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("input", filterRows);
  document.querySelector(".controls").addEventListener("change", (event) => {
    state.chosen[event.target.name] = event.target.value; // from now on for every row
    openRow(state.row);
  });
  addEventListener("hashchange", openFromAddress);
  // The lines wrap anew on paper, after which no observer is asked: print at a width that is known beforehand.
  addEventListener("beforeprint", () => { figure.style.width = `${PRINT_WIDTH}px`; letGo(); layOut(); });
  addEventListener("afterprint", () => { figure.style.width = ""; layOut(); });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.("input[type=search], select");
    if (event.key === "Escape") { letGo(); typing?.blur(); return; }
    if (typing || event.target.type === "radio") return;
    const [next, previous] = [() => step(1), () => step(-1)];
    const keys = { j: next, ArrowDown: next, k: previous, ArrowUp: previous, "/": () => byId("search").focus() };
    const action = keys[event.key];
    if (action) { event.preventDefault(); action(); }
  });
}

showSummary();
fillFilters();
filterRows();
openFromAddress();
letGo();
listen();
