// A figure's solids: each a hull of discs in tones from shade to gleam, each tone shrunk and moved towards the light.

const { TONES, STEP, CORNERS, LIGHT_FROM: LIGHT, PAINTS, HAIR_ANGLE, HAIR_RADIUS, HAIR_GLEAM, EDGE, FARTHEST, DEPTH } = TABLES;
const { TRAIL_BANDS, TRAIL_OPACITY, TRAIL_FADE, TRAIL_TAPER } = TABLES;
const WHITE = [255, 255, 255];

// The colours of one theme: for each part its edge, and its tones.
const paintsOf = (theme) => Object.fromEntries(Object.entries(PAINTS[theme.name]).map(([part, paint]) => [part, paint.map(rgb)]));

function fillPolygon(context, points, colour, opacity = 1) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.closePath();
  context.fillStyle = ink(colour, opacity);
  context.fill();
}

// The outline of the hull of discs [x, y, radius].
function hullOf(discs, corners) {
  return Array.from({ length: corners }, (_, k) => {
    const [c, s] = [Math.cos((2 * Math.PI * k) / corners), Math.sin((2 * Math.PI * k) / corners)];
    let [best, reach] = [null, -Infinity];
    for (const disc of discs) {
      const out = disc[0] * c + disc[1] * s + disc[2];
      if (out > reach) [best, reach] = [disc, out];
    }
    return [best[0] + best[2] * c, best[1] + best[2] * s];
  });
}

// As many tones of a paint as can be told apart on a part of so many pixels: [how it is moved, its colour].
function tonesOf(paint, radius) {
  const known = paint.length - 1;
  const count = Math.min(known, 1 + Math.floor(radius / STEP));
  return Array.from({ length: count }, (_, k) => [TONES[Math.floor((TONES.length * k) / count)], paint[1 + Math.floor(((2 * k + 1) * known) / (2 * count))]]);
}

// What a solid looks like: polygons and their colours, one over the other, and how far away it is.
function shapesOf(solid, camera, paints, edge) {
  const discs = solid.hulls.map((balls) => balls.map(([point, radius]) => {
    const [x, y, scale] = camera.project(point);
    return [x, y, radius * scale, scale];
  }));
  const all = discs.flat();
  const away = camera.now.focal / camera.unit / (all.reduce((sum, disc) => sum + disc[3], 0) / all.length);
  const dark = FARTHEST * (1 - clip(0.5 + (FAR - away) / DEPTH, 0, 1));
  const shade = (colour) => mix(colour, edge, dark);
  const size = (Math.max(...solid.hulls.flat().map((ball) => ball[1])) * camera.now.focal) / FAR / camera.unit;
  const corners = Math.floor(CORNERS[0] + CORNERS[1] * Math.sqrt(size));
  const paint = paints[solid.paint];
  const grown = (hull) => hull.map(([x, y, r]) => [x, y, r + EDGE]);
  const shapes = discs.map((hull) => [hullOf(grown(hull), corners), paint[0]]);
  for (const [[less, aside], colour] of tonesOf(paint, size)) {
    const lit = (hull) => hull.map(([x, y, r]) => [x + aside * r * LIGHT[0], y + aside * r * LIGHT[1], (1 - less) * r]);
    for (const hull of discs) shapes.push([hullOf(lit(hull), corners), shade(colour)]);
  }
  for (const [colour, points] of solid.patches) {
    const outline = points.map((point) => camera.project(point));
    if (facesCamera(outline)) shapes.push([outline, paints[colour][1]]);
  }
  if (solid.cap) shapes.push(...hairOf(solid, camera, paints, shade));
  return { shapes, away: away - solid.before };
}

// What faces the camera runs against the clock.
const facesCamera = (outline) => outline.reduce((sum, [x, y], k) => {
  const [u, v] = outline[(k + 1) % outline.length];
  return sum + x * v - u * y;
}, 0) < 0;

// The part of the hair that can be seen: a cap on the ball of the head.
function hairOf({ hulls: [[[centre, radius]]], cap: [name, top] }, camera, paints, shade) {
  const cap = seenOfCap(unit(minus(top, centre)), HAIR_ANGLE, unit(minus(camera.eye, centre)));
  const rim = cap.map((at) => camera.project(along(centre, at, HAIR_RADIUS * radius)));
  const [x, y, scale] = camera.project(centre);
  const [size, aside] = HAIR_GLEAM;
  const shift = aside * radius * scale;
  const lit = rim.map((at) => [x + size * (at[0] - x) + shift * LIGHT[0], y + size * (at[1] - y) + shift * LIGHT[1]]);
  return [[rim, shade(paints[name][1])], [lit, shade(paints[name][4])]];
}

// The outline of what can be seen of a cap on the unit ball: its edge on the viewer's side, then the ball's outline.
function seenOfCap(middle, angle, viewer, corners = 16) {
  const facing = dot(middle, viewer);
  const nearer = unit(along(viewer, middle, -facing));
  const aside = cross(middle, nearer);
  const steep = Math.sqrt(Math.max(1 - facing * facing, 1e-6));
  const outwards = unit(along(middle, viewer, -facing));
  const over = cross(outwards, viewer);
  const outline = [];
  const sweep = (end, way, point) => {
    for (let k = 0; k < corners; k++) outline.push(point(way * end * ((2 * k) / (corners - 1) - 1)));
  };
  sweep(Math.acos(clip(-facing / steep / Math.tan(angle), -1, 1)), 1, (turn) => {
    const edge = along(times(nearer, Math.cos(turn)), aside, Math.sin(turn));
    return along(times(middle, Math.cos(angle)), edge, Math.sin(angle));
  });
  sweep(Math.acos(clip(Math.cos(angle) / steep, -1, 1)), -1, (turn) => along(times(outwards, Math.cos(turn)), over, Math.sin(turn)));
  return outline;
}

// The light that a hand leaves behind; `points` are [x, y] in pixels, the oldest first.
function paintTrail(context, points, width, colour) {
  const last = points.length - 1;
  const edges = points.map(([x, y], k) => {
    const [ax, ay] = points[Math.max(k - 1, 0)];
    const [bx, by] = points[Math.min(k + 1, last)];
    const apart = Math.hypot(bx - ax, by - ay) || 1;
    const half = (width / 2) * (k / last) ** TRAIL_TAPER;
    const [nx, ny] = [(-(by - ay) / apart) * half, ((bx - ax) / apart) * half];
    return [[x + nx, y + ny], [x - nx, y - ny]];
  });
  for (let band = 0; band < TRAIL_BANDS; band++) {
    const some = edges.slice((band * last) / TRAIL_BANDS, ((band + 1) * last) / TRAIL_BANDS + 1);
    const opacity = TRAIL_OPACITY * ((band + 1) / TRAIL_BANDS) ** TRAIL_FADE;
    fillPolygon(context, [...some.map((edge) => edge[0]), ...some.reverse().map((edge) => edge[1])], colour, opacity);
  }
}
