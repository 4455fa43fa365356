// Charts of a set's figures beside those of another: bars of heights, curves of distributions, maps of positions.
"use strict";

const Charts = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const COLOURS = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7"];  // Okabe and Ito, 2008
  const WIDTH = 270, HEIGHT = 130;

  function node(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function html(name, text, kind) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function figure(title, draw) {
    const made = html("figure"), svg = node("svg", { width: WIDTH, height: HEIGHT + 18, role: "img" });
    svg.append(node("title", {}, title), node("rect", { width: WIDTH, height: HEIGHT, fill: "none", stroke: "#2c313b" }));
    draw(svg);
    made.append(html("figcaption", title), svg);
    return made;
  }

  function bars(svg, labels, series) {
    const top = Math.max(1e-9, ...series.flatMap((one) => one.values));
    const group = WIDTH / labels.length, thick = Math.max(1, (group - 3) / series.length);
    series.forEach((one, place) => one.values.forEach((value, k) => {
      const tall = value / top * (HEIGHT - 6);
      svg.append(node("rect", { x: k * group + 1 + place * thick, y: HEIGHT - tall, width: thick - 1 || 1, height: tall, fill: one.colour }));
    }));
    labels.forEach((label, k) => svg.append(node("text", { x: k * group, y: HEIGHT + 13 }, label)));
  }

  function quantile(values, share) {
    const place = share * (values.length - 1), below = Math.floor(place), rest = place - below;
    return values[below] + rest * ((values[below + 1] ?? values[below]) - values[below]);
  }

  function curves(svg, series) {
    const known = series.filter((one) => one.values && one.values.length);
    if (!known.length) { svg.append(node("text", { x: 8, y: 18 }, "not known")); return; }
    const low = Math.min(...known.map((one) => quantile(one.values, 0.01)));
    const high = Math.max(...known.map((one) => quantile(one.values, 0.97)), low + 1e-9);
    for (const one of known) {
      const points = one.values.map((value, k) => [
        Math.min(1, Math.max(0, (value - low) / (high - low))) * WIDTH, HEIGHT * (1 - k / (one.values.length - 1))]);
      svg.append(node("polyline", { points: points.map((p) => p.join()).join(" "), fill: "none", stroke: one.colour, "stroke-width": 2 }));
    }
    for (const [share, anchor] of [[0, "start"], [0.5, "middle"], [1, "end"]]) {
      const text = Number((low + share * (high - low)).toPrecision(3));
      svg.append(node("text", { x: share * WIDTH, y: HEIGHT + 13, "text-anchor": anchor }, String(text)));
    }
  }

  function heatMap(svg, rows, colour) {
    const most = Math.max(1e-9, ...rows.flat()), tall = HEIGHT / rows.length;
    rows.forEach((row, y) => row.forEach((share, x) => {
      const wide = WIDTH / row.length;
      if (share) svg.append(node("rect", { x: x * wide, y: y * tall, width: wide, height: tall, fill: colour, opacity: Math.sqrt(share / most) }));
    }));
  }

  function show(place, answer) {
    place.replaceChildren();
    if (answer.error) { place.append(html("p", answer.error)); return; }
    const sets = answer.sets, colour = (k) => COLOURS[k % COLOURS.length];
    const legend = html("p", undefined, "legend");
    sets.forEach((one, k) => {
      const entry = html("span"), box = html("i");
      box.style.background = colour(k);
      entry.append(box, `${one.name}: ${one.frames} frames`);
      legend.append(entry);
    });
    place.append(legend);
    const series = (values) => sets.map((one, k) => ({ values: values(one), colour: colour(k) })).filter((one) => one.values);
    const kinds = [...new Set(sets.flatMap((one) => Object.keys(one.kinds)))];
    for (const kind of kinds) {
      const of = (name) => series((one) => one.kinds[kind] && one.kinds[kind][name]);
      const told = sets.map((one) => one.kinds[kind] ? one.kinds[kind].per_frame.toFixed(2) : "0").join(" / ");
      place.append(html("h2", `${kind}: ${told} a frame`));
      const row = html("div", undefined, "row");
      row.append(figure("height of boxes, px", (svg) => bars(svg, answer.heights_px.slice(0, -1), of("heights"))));
      for (const [name, title] of [["distance_m", "distance, m"], ["aspect", "width over height"], ["contrast", "contrast, grey levels"]])
        row.append(figure(title, (svg) => curves(svg, of(name))));
      sets.forEach((one, k) => {
        if (one.kinds[kind]) row.append(figure(`where, ${one.name}`, (svg) => heatMap(svg, one.kinds[kind].positions, colour(k))));
      });
      place.append(row);
    }
    place.append(html("h2", "frames"));
    const row = html("div", undefined, "row");
    const hours = series((one) => one.hours && one.hours.map((count) => count / one.frames));
    const labels = [...Array(24).keys()].map((hour) => hour % 3 ? "" : hour);
    row.append(figure("hour of the day", (svg) => bars(svg, labels, hours)));
    for (const [name, title] of [["level", "mean grey level"], ["spread", "spread of grey levels"], ["noise", "noise, grey levels"]])
      row.append(figure(title, (svg) => curves(svg, series((one) => one[name]))));
    place.append(row);
  }

  return { show };
})();
