// Round limbs: each a hull of discs in tones from shade to gleam, each tone shrunk and moved towards the light.

const { TONES, LIGHT_FROM: LIGHT, PAINTS, HAIR_ANGLE, HAIR_MIDDLE, HAIR_RADIUS, HAIR_GLEAM, EDGE, FARTHEST } = TABLES;
const { TRAIL_SECONDS, TRAIL_OPACITY, TRAIL_FADE, TRAIL_TAPER } = TABLES;
const WHITE = [255, 255, 255];
const CORNERS = 40;
const TURNS = Array.from({ length: CORNERS }, (_, k) => [Math.cos((2 * Math.PI * k) / CORNERS), Math.sin((2 * Math.PI * k) / CORNERS)]);

// The colours of one theme: for each part its edge, and its tones.
function paintsOf(theme, conducting) {
  const codes = { ...PAINTS[theme.name].usual, ...(conducting && PAINTS[theme.name].conductor) };
  return Object.fromEntries(Object.entries(codes).map(([part, paint]) => [part, paint.map(rgb)]));
}

function tracePolygon(context, points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.closePath();
}

// The hull of discs [x, y, radius], each shrunk by a share of its radius and moved towards the light, and grown.
function traceHull(context, discs, less = 0, aside = 0, grown = 0) {
  const moved = discs.map(([x, y, r]) => [x + aside * r * LIGHT[0], y + aside * r * LIGHT[1], (1 - less) * r + grown]);
  if (moved.length === 2) return traceCapsule(context, ...moved);
  context.beginPath();
  for (const [c, s] of TURNS) {
    let best = moved[0];
    let reach = -Infinity;
    for (const disc of moved) {
      const out = disc[0] * c + disc[1] * s + disc[2];
      if (out > reach) [best, reach] = [disc, out];
    }
    context.lineTo(best[0] + best[2] * c, best[1] + best[2] * s);
  }
  context.closePath();
}

function traceCapsule(context, [ax, ay, a], [bx, by, b]) {
  const apart = Math.hypot(bx - ax, by - ay);
  context.beginPath();
  if (apart <= Math.abs(a - b)) {
    if (a > b) context.arc(ax, ay, a, 0, 2 * Math.PI);
    else context.arc(bx, by, b, 0, 2 * Math.PI);
    return;
  }
  const heading = Math.atan2(by - ay, bx - ax);
  const side = Math.acos((a - b) / apart); // where the straight sides touch the discs
  context.arc(bx, by, b, heading - side, heading + side);
  context.arc(ax, ay, a, heading + side, heading - side + 2 * Math.PI);
  context.closePath();
}

// A solid of one or several hulls without seams between them. `near` is 1 for what is close, 0 for what is half a body
// size behind: that is painted darker.
function paintSolid(context, hulls, paint, theme, near) {
  const share = FARTHEST * (1 - clip(near, 0, 1));
  const largest = Math.max(...hulls.flat().map((disc) => disc[2]));
  const fill = (colour, ...shape) => {
    context.fillStyle = ink(colour);
    for (const discs of hulls) {
      traceHull(context, discs, ...shape);
      context.fill();
    }
  };
  fill(paint[0], 0, 0, EDGE);
  TONES.forEach(([less, aside], k) => {
    if (k % 2 && largest < 7) return; // too small to tell
    fill(mix(paint[k + 1], theme.edge, share), less, aside);
  });
}

// The part of the hair that can be seen: a cap on the ball of the head.
function paintHair(context, camera, head, paint, theme, near) {
  const crown = unit(along(times(head.up, HAIR_MIDDLE[0]), head.ahead, HAIR_MIDDLE[1]));
  const [x, y, scale] = camera.project(head.centre);
  const rim = seenOfCap(crown, HAIR_ANGLE, camera.viewer).map((at) => camera.project(along(head.centre, at, HAIR_RADIUS * head.radius)));
  tracePolygon(context, rim);
  context.fillStyle = ink(mix(paint[1], theme.edge, FARTHEST * (1 - clip(near, 0, 1))));
  context.fill();
  const [size, aside] = HAIR_GLEAM;
  const shift = aside * head.radius * scale;
  tracePolygon(context, rim.map((at) => [x + size * (at[0] - x) + shift * LIGHT[0], y + size * (at[1] - y) + shift * LIGHT[1]]));
  context.fillStyle = ink(mix(paint[4], theme.edge, FARTHEST * (1 - clip(near, 0, 1))));
  context.fill();
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

const BANDS = 12;

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
  for (let band = 0; band < BANDS; band++) {
    const some = edges.slice(Math.round((band * last) / BANDS), Math.round(((band + 1) * last) / BANDS) + 1);
    tracePolygon(context, [...some.map((edge) => edge[0]), ...some.reverse().map((edge) => edge[1])]);
    context.fillStyle = ink(colour, TRAIL_OPACITY * ((band + 1) / BANDS) ** TRAIL_FADE);
    context.fill();
  }
}
