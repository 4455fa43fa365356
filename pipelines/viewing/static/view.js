// The page of gis view: a grid that holds only what is seen of it, filters, one frame with its labels, charts.
"use strict";

const PAGE = 100, MOST_PAGES = 30, TILE_PX = 208, GAP_PX = 8, CAPTION_PX = 18, ROWS_BEYOND = 2;
const MOST_HEIGHT_PX = 8e6;  // browsers end elements somewhere above; beyond, a scroll bar moves by more than it says
const SVG = "http://www.w3.org/2000/svg";
const get = (id) => document.getElementById(id);
const grid = get("grid"), spacer = get("spacer"), filters = get("filters");

let about = null;           // answer of /api/set
let labels = { colours: {}, zones: {}, skeleton: [] };  // answer of /api/labels
let total = 0;              // frames that are wanted
let question = "";          // filters as a query
let pages = new Map();      // number of a page -> its tiles, or a promise; the oldest go first
let tiles = new Map();      // place in the grid -> its element
let open = null;            // { place, frame, planes, abort } of the frame that is looked at

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

async function ask(path, signal) {
  const answer = await fetch(path, { signal });
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.error || answer.statusText);
  return data;
}

function tell(problem) {
  get("problem").textContent = problem;
  get("problem").hidden = !problem;
}

function colourOf(category) {
  return labels.colours[category] || "#e0e0e0";
}

// --- the set ---------------------------------------------------------------------------------------------------------

function fill(select, words, any) {
  const before = select.value;
  const options = any ? [["", "any"], ...words.map((word) => [word, word])] : words.map((word) => [word, word]);
  select.replaceChildren(...options.map(([value, text]) => Object.assign(element("option", text), { value })));
  select.value = options.some(([value]) => value === before) ? before : options[0][0];
}

async function learn() {
  const first = about === null;
  about = await ask("/api/set");
  get("name").textContent = document.title = about.name;
  if (about.error) tell(about.error);
  fill(filters.category, about.categories, true);
  fill(filters.weather, about.weathers, true);
  fill(filters.world, about.worlds, true);
  if (first) fill(filters.order, about.orders, false);
  for (const one of document.querySelectorAll("[data-made]")) one.hidden = !about.made;
  get("world-label").textContent = about.made ? "world" : "time";
  filters.weather.parentElement.hidden = !about.weathers.length;
  filters.world.parentElement.hidden = !about.worlds.length;
  await select(first);
  if (first) learnLabels().catch((error) => tell(error.message));
  if (!about.complete) setTimeout(() => learn().catch((error) => tell(String(error.message))), 300);
}

async function learnLabels() {
  await new Promise((done) => setTimeout(done, 300));  // pictures come first
  labels = await ask("/api/labels");
  if (get("grid-boxes").checked) layOut();
  redraw();
}

// --- the grid --------------------------------------------------------------------------------------------------------

function asQuery() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(filters)) if (value !== "") query.set(name, value);
  return query.toString();
}

async function select(fromTop) {
  const asked = asQuery();
  if (asked !== question || fromTop) { pages = new Map(); grid.scrollTop = 0; clearTiles(); }
  question = asked;
  const answer = await ask(`/api/frames?${asked}&first=0&count=${PAGE}`);
  if (question !== asked) return;  // another filter was set meanwhile
  const grown = answer.total !== total;
  total = answer.total;
  pages.set(0, answer.tiles);
  if (grown) for (const [page, held] of pages) if (page && Array.isArray(held) && held.length < PAGE) pages.delete(page);
  const known = about.complete ? `${about.frames}` : `${about.frames} so far`;
  get("count").textContent = `${total} of ${known} frames`;
  layOut();
}

async function pageOf(page) {
  const held = pages.get(page);
  if (held) { pages.delete(page); pages.set(page, held); return held; }  // used last
  const mine = pages, asked = question;
  const promise = ask(`/api/frames?${asked}&first=${page * PAGE}&count=${PAGE}`).then((answer) => answer.tiles);
  mine.set(page, promise);
  try {
    const found = await promise;
    mine.set(page, found);
    while (mine.size > MOST_PAGES) mine.delete(mine.keys().next().value);
    return found;
  } catch (error) {
    mine.delete(page);
    throw error;
  }
}

async function tileAt(place) {
  return (await pageOf(Math.floor(place / PAGE)))[place % PAGE];
}

const layout = { columns: 1, wide: TILE_PX, tall: TILE_PX, rows: 0, height: 0, scale: 1 };

function layOut() {
  const first = pages.get(0), size = first && first.length ? first[0].size_px : [4, 3];
  const width = grid.clientWidth - GAP_PX;
  layout.columns = Math.max(1, Math.floor(width / (TILE_PX + GAP_PX)));
  layout.wide = Math.floor(width / layout.columns) - GAP_PX;
  layout.picture = Math.max(40, Math.min(layout.wide * 1.5, Math.round(layout.wide * size[1] / size[0])));
  layout.tall = layout.picture + CAPTION_PX + GAP_PX;
  layout.rows = Math.ceil(total / layout.columns);
  const wanted = layout.rows * layout.tall + GAP_PX;
  layout.height = Math.min(wanted, MOST_HEIGHT_PX);
  layout.scale = layout.height > grid.clientHeight ? (wanted - grid.clientHeight) / (layout.height - grid.clientHeight) : 1;
  spacer.style.height = `${layout.height}px`;
  clearTiles();
  render();
}

function clearTiles() {
  for (const tile of tiles.values()) discard(tile);
  tiles = new Map();
}

function discard(tile) {
  tile.waiting.abort();
  const canvas = tile.querySelector("canvas");
  if (canvas) canvas.width = canvas.height = 0;  // gives its memory back at once
  tile.remove();
}

function render() {
  const top = grid.scrollTop * layout.scale;  // in the grid as it would be without a limit
  const first = Math.max(0, Math.floor(top / layout.tall) - ROWS_BEYOND) * layout.columns;
  const last = Math.min(total, (Math.ceil((top + grid.clientHeight) / layout.tall) + ROWS_BEYOND) * layout.columns);
  for (const [place, tile] of tiles) if (place < first || place >= last) { discard(tile); tiles.delete(place); }
  for (let place = first; place < last; place++) {
    if (!tiles.has(place)) tiles.set(place, makeTile(place));
    const row = Math.floor(place / layout.columns);
    tiles.get(place).style.top = `${GAP_PX + row * layout.tall - top + grid.scrollTop}px`;
  }
}

function makeTile(place) {
  const tile = element("button", undefined, "tile"), shown = element("span", undefined, "shown"), caption = element("span", "", "caption");
  tile.style.left = `${GAP_PX + (place % layout.columns) * (layout.wide + GAP_PX)}px`;
  tile.style.width = `${layout.wide}px`;
  shown.style.display = "block";
  shown.style.height = `${layout.picture}px`;
  tile.append(shown, caption);
  tile.waiting = new AbortController();
  spacer.append(tile);
  tile.addEventListener("click", () => openFrame(place));
  tileAt(place).then((about) => { if (about && tiles.get(place) === tile) fillTile(tile, about); }, (error) => tell(error.message));
  return tile;
}

function fillTile(tile, about) {
  const shown = tile.firstChild;
  drawThumbnail(tile, about).catch((error) => {
    if (error.name !== "AbortError") shown.append(element("span", "cannot be shown", "broken"));
  });
  if (get("grid-boxes").checked) shown.append(smallBoxes(about));
  const hour = about.hour === null ? "" : ` ${clock(about.hour)}`;
  const score = about.score === null ? "" : `  error ${about.score.toFixed(2)}`;
  tile.lastChild.textContent = tile.title = `${about.name}  ${about.weather}${hour}${score}  ${about.objects.length} objects`;
  tile.dataset.number = about.number;
}

// Drawn rather than shown as an image: browsers keep every image that a page has shown for as long as they like.
async function drawThumbnail(tile, about) {
  const answer = await fetch(`/thumb/${about.number}`, { signal: tile.waiting.signal });
  if (!answer.ok) throw new Error(answer.statusText);
  const bitmap = await createImageBitmap(await answer.blob());
  if (!tile.waiting.signal.aborted) {
    const canvas = element("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    tile.firstChild.prepend(canvas);
  }
  bitmap.close();
}

function smallBoxes(tile) {
  const [width, height] = tile.size_px;
  const made = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
  for (const [category, left, top, right, bottom, ignored] of tile.objects) {
    const stroke = ignored ? "#969ca8" : colourOf(about.categories[category]);
    made.append(svg("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: "none", stroke, "stroke-width": 1.2, "vector-effect": "non-scaling-stroke" }));
  }
  return made;
}

function clock(hour) {
  const minutes = Math.round(hour * 60) % 1440;
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

// --- one frame -------------------------------------------------------------------------------------------------------

const LAYERS = [["boxes", "b"], ["amodal boxes", "a"], ["3-D boxes", "3"], ["key points", "k"], ["masks", "m"], ["zones", "z"], ["depth", "d"], ["kelvin", "t"]];
const PLANE_OF = { masks: "ids", zones: "zones", depth: "depth", kelvin: "kelvin" };
const shownLayers = new Set(["boxes"]);

async function openFrame(place) {
  const tile = await tileAt(place);
  if (!tile) return;
  if (open) open.abort.abort();
  const mine = open = { place, number: tile.number, frame: null, planes: {}, grey: null, abort: new AbortController() };
  if (!get("frame").open) get("frame").showModal();
  history.replaceState(null, "", `#${tile.number}`);
  get("frame-name").textContent = tile.name;
  try {
    const frame = await ask(`/api/frame/${tile.number}`, mine.abort.signal);
    if (open !== mine) return;
    mine.frame = frame;
    showAbout(frame);
    showLayers();
    await drawPicture(mine);
    redraw();
    for (const name of frame.planes) await readPlane(mine, name);
  } catch (error) {
    if (error.name !== "AbortError") get("cursor").textContent = error.message;
  }
}

function closeFrame() {
  if (open) open.abort.abort();
  open = null;
  for (const id of ["base", "overlay"]) get(id).width = get(id).height = 0;  // gives their memory back
  get("marks").replaceChildren();
  history.replaceState(null, "", location.pathname);
}

async function drawPicture(mine) {
  const answer = await fetch(`/image/${mine.number}`, { signal: mine.abort.signal });
  if (!answer.ok) throw new Error((await answer.json()).error);
  const bitmap = await createImageBitmap(await answer.blob());
  if (open !== mine) return;
  for (const id of ["base", "overlay"]) { get(id).width = bitmap.width; get(id).height = bitmap.height; }
  const context = get("base").getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  mine.grey = context.getImageData(0, 0, get("base").width, get("base").height).data;
  fit();
}

function fit() {
  if (!open || !open.grey) return;
  const stage = get("stage"), { width, height } = get("base");
  const scale = Math.min((stage.clientWidth - 16) / width, (stage.clientHeight - 16) / height);
  get("picture").style.width = `${width * scale}px`;
  get("picture").style.height = `${height * scale}px`;
  get("marks").setAttribute("viewBox", `0 0 ${width} ${height}`);
}

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

async function readPlane(mine, name) {
  const answer = await fetch(`/plane/${name}/${mine.number}`, { signal: mine.abort.signal });
  if (!answer.ok) return;
  const told = JSON.parse(answer.headers.get("X-Plane"));
  mine.planes[name] = { ...told, values: new TYPES[told.type](await answer.arrayBuffer()) };
  if (open === mine) redraw();
}

function has(layer) {
  const frame = open.frame;
  if (layer in PLANE_OF) return frame.planes.includes(PLANE_OF[layer]);
  const part = { boxes: "box", "amodal boxes": "amodal", "3-D boxes": "edges", "key points": "key_points" }[layer];
  return layer === "boxes" || frame.objects.some((one) => one[part] && one[part].length);
}

function showLayers() {
  get("layers").replaceChildren(...LAYERS.filter(([layer]) => has(layer)).map(([layer, key]) => {
    const button = element("button", layer);
    button.title = `key ${key}`;
    button.setAttribute("aria-pressed", shownLayers.has(layer));
    button.addEventListener("click", () => toggle(layer));
    return button;
  }));
}

function toggle(layer) {
  if (layer in PLANE_OF && !shownLayers.has(layer)) for (const other of Object.keys(PLANE_OF)) shownLayers.delete(other);
  shownLayers.has(layer) ? shownLayers.delete(layer) : shownLayers.add(layer);
  for (const button of get("layers").children) button.setAttribute("aria-pressed", shownLayers.has(button.textContent));
  redraw();
}

function table(id, rows) {
  get(id).replaceChildren(...rows);
}

function row(cells, head) {
  const made = element("tr");
  made.append(...cells.map((text, k) => element(head === true || head === k ? "th" : "td", text)));
  return made;
}

function showAbout(frame) {
  table("about", Object.entries(frame.about).map((pair) => row(pair, 0)));
  const known = frame.objects.map((one, k) => {
    const made = row([one.category + (one.ignored ? " (ignored)" : one.real ? " (real)" : ""), one.model || "",
      one.distance_m === undefined ? "" : `${one.distance_m} m`, `${Math.round(one.box[3] - one.box[1])} px`,
      one.occlusion === undefined ? "" : String(one.occlusion), one.score === undefined || one.score === null ? "" : one.score.toFixed(2)]);
    made.dataset.object = k;
    made.addEventListener("mouseenter", () => choose(k));
    made.addEventListener("mouseleave", () => choose(-1));
    return made;
  });
  table("objects", [row(["object", "model", "distance", "height", "hidden", "error"], true), ...known]);
}

function choose(number) {
  for (const one of document.querySelectorAll("#objects tr")) one.classList.toggle("chosen", Number(one.dataset.object) === number);
  for (const one of get("marks").children) one.setAttribute("stroke-width", Number(one.dataset.object) === number ? 3 : 1.5);
}

function redraw() {
  if (!open || !open.frame || !open.grey) return;
  drawMarks(open.frame);
  drawOverlay(open);
}

function drawMarks(frame) {
  const made = [];
  const mark = (k, name, attributes) => {
    const one = svg(name, { fill: "none", "stroke-width": 1.5, "vector-effect": "non-scaling-stroke", ...attributes });
    one.dataset.object = k;
    made.push(one);
  };
  const rectangle = ([left, top, right, bottom]) => ({ x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) });
  frame.objects.forEach((one, k) => {
    const stroke = one.ignored ? "#969ca8" : colourOf(one.category);
    if (shownLayers.has("boxes")) mark(k, "rect", { ...rectangle(one.box), stroke, ...(one.real ? { "stroke-dasharray": "5 3" } : {}) });
    if (shownLayers.has("amodal boxes") && one.amodal) mark(k, "rect", { ...rectangle(one.amodal), stroke, "stroke-dasharray": "2 3" });
    if (shownLayers.has("3-D boxes") && one.edges)
      mark(k, "path", { d: one.edges.map(([a, b, c, d]) => `M${a} ${b}L${c} ${d}`).join(""), stroke });
    if (shownLayers.has("key points") && one.key_points && one.key_points.length) drawKeyPoints(mark, k, one.key_points, stroke);
  });
  get("marks").replaceChildren(...made);
}

function drawKeyPoints(mark, k, points, stroke) {
  const joined = labels.skeleton.map(([a, b]) => [points[a - 1], points[b - 1]]).filter(([a, b]) => a[2] && b[2]);
  mark(k, "path", { d: joined.map(([a, b]) => `M${a[0]} ${a[1]}L${b[0]} ${b[1]}`).join(""), stroke });
  for (const [x, y, seen] of points) if (seen) mark(k, "circle", { cx: x, cy: y, r: 1.5, stroke, fill: seen === 2 ? stroke : "none" });
}

function drawOverlay(mine) {
  const canvas = get("overlay"), context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const layer = Object.keys(PLANE_OF).find((one) => shownLayers.has(one) && mine.planes[PLANE_OF[one]]);
  if (!layer) return;
  const plane = mine.planes[PLANE_OF[layer]], [width, height] = plane.size_px;
  if (width !== canvas.width || height !== canvas.height) return;
  const pixels = context.createImageData(width, height), paint = painter(layer, plane);
  for (let k = 0; k < plane.values.length; k++) pixels.data.set(paint(plane.values[k]), 4 * k);
  context.putImageData(pixels, 0, 0);
}

function painter(layer, plane) {
  if (layer === "masks") return (id) => id ? [...hue((id * 111) % 180 * 2), 130] : [0, 0, 0, 0];
  if (layer === "zones") return (zone) => { const info = labels.zones[zone]; return info && zone ? [info[1], info[2], info[3], 170] : [0, 0, 0, 0]; };
  if (layer === "depth") return (metres) => Number.isFinite(metres) ? [...warm(1 - Math.log(Math.min(120, Math.max(3, metres)) / 3) / Math.log(40)), 255] : [30, 33, 40, 255];
  const [low, high] = spread(plane.values);
  return (count) => [...warm((count - low) / Math.max(1, high - low)), 255];
}

function spread(values) {
  const counts = new Uint32Array(1024);
  for (const value of values) counts[value >> 6]++;
  const at = (share) => { let sum = 0; for (let k = 0; k < 1024; k++) { sum += counts[k]; if (sum >= share * values.length) return k * 64; } return 65535; };
  return [at(0.01), at(0.99)];
}

function hue(degrees) {
  const part = (n) => { const k = (n + degrees / 60) % 6; return 240 * (1 - 0.59 * Math.max(0, Math.min(k, 4 - k, 1))); };
  return [part(5), part(3), part(1)];
}

const RAMP = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];  // inferno, at its quarters

function warm(share) {
  const place = Math.max(0, Math.min(0.9999, share)) * 4, k = Math.floor(place), rest = place - k;
  return RAMP[k].map((value, c) => value + rest * (RAMP[k + 1][c] - value));
}

function pointAt(event) {
  if (!open || !open.frame || !open.grey) return;
  const box = get("base").getBoundingClientRect(), { width, height } = get("base");
  const x = Math.floor((event.clientX - box.left) / box.width * width), y = Math.floor((event.clientY - box.top) / box.height * height);
  if (x < 0 || y < 0 || x >= width || y >= height) return;
  const k = y * width + x, value = (name) => open.planes[name] && open.planes[name].values[k];
  const lines = [`x ${x}  y ${y}  grey ${open.grey[4 * k]}`];
  const kelvin = open.planes.kelvin;
  if (kelvin) { const t = kelvin.span[0] + kelvin.values[k] / 65535 * (kelvin.span[1] - kelvin.span[0]); lines.push(`${t.toFixed(2)} K  ${(t - 273.15).toFixed(2)} °C, apparent`); }
  const depth = value("depth"), zone = value("zones"), id = value("ids");
  if (depth !== undefined) lines.push(Number.isFinite(depth) ? `${depth.toFixed(2)} m away` : "nothing there");
  if (zone !== undefined || id !== undefined) lines.push([zone === undefined ? "" : (labels.zones[zone] || ["zone " + zone])[0], id ? `object ${id}` : ""].filter(Boolean).join("  "));
  get("cursor").textContent = lines.join("\n");
  const object = open.frame.objects.findIndex((one) => id !== undefined && id && one.id === id);
  choose(object);
}

function move(step) {
  if (!open) return;
  const place = open.place + step;
  if (place >= 0 && place < total) openFrame(place).catch((error) => tell(error.message));
}

// --- charts ----------------------------------------------------------------------------------------------------------

async function showCharts() {
  const place = get("charts");
  if (!place.childElementCount) place.append(element("p", "Looking at the pictures ..."));
  const answer = await ask("/api/charts");
  if (answer.ready) Charts.show(place, answer);
  else if (!place.hidden) setTimeout(() => showCharts().catch((error) => tell(error.message)), 500);
}

function turnTo(charts) {
  get("charts").hidden = !charts;
  grid.hidden = filters.hidden = charts;
  grid.style.display = filters.style.display = charts ? "none" : "";
  get("show-charts").setAttribute("aria-pressed", charts);
  get("show-frames").setAttribute("aria-pressed", !charts);
  history.replaceState(null, "", charts ? "#charts" : location.pathname);
  if (charts) showCharts().catch((error) => tell(error.message));
  else layOut();
}

// --- what the user does ----------------------------------------------------------------------------------------------

const again = () => select(false).catch((error) => tell(error.message));
let waiting = 0;
filters.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { tell(""); again(); }, 150); });
filters.addEventListener("reset", () => setTimeout(() => { tell(""); again(); }));
filters.addEventListener("submit", (event) => event.preventDefault());
get("grid-boxes").addEventListener("change", () => { clearTiles(); render(); });
grid.addEventListener("scroll", () => requestAnimationFrame(render));
new ResizeObserver(() => { if (!grid.hidden && about) layOut(); }).observe(grid);
window.addEventListener("resize", fit);
get("show-charts").addEventListener("click", () => turnTo(true));
get("show-frames").addEventListener("click", () => turnTo(false));
get("previous").addEventListener("click", () => move(-1));
get("next").addEventListener("click", () => move(1));
get("close").addEventListener("click", () => get("frame").close());
get("frame").addEventListener("close", closeFrame);
get("picture").addEventListener("mousemove", pointAt);
document.addEventListener("keydown", (event) => {
  if (!open || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "ArrowLeft") move(-1);
  if (event.key === "ArrowRight") move(1);
  const layer = LAYERS.find(([name, key]) => key === event.key && open.frame && has(name));
  if (layer) toggle(layer[0]);
});
const asked = location.hash.slice(1);  // the address of a frame, or of the charts
learn().then(() => {
  if (asked === "charts") turnTo(true);
  if (/^[0-9]+$/.test(asked) && Number(asked) < total) return openFrame(Number(asked));
}).catch((error) => tell(error.message));
