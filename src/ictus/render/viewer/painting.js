// Round limbs: each a hull of discs in tones from shade to gleam, each tone shrunk and moved towards the light.

const TONES = [[0, 0], [0.14, 0.14], [0.29, 0.27], [0.46, 0.38], [0.64, 0.46], [0.83, 0.5]];
const LIGHT = [-0.5, -0.866]; // where it comes from in the picture: from the left, above
const CHESTNUT = rgb("#7a5240");
const WHITE = [255, 255, 255];
const CORNERS = 40;
const TURNS = Array.from({ length: CORNERS }, (_, k) => [Math.cos((2 * Math.PI * k) / CORNERS), Math.sin((2 * Math.PI * k) / CORNERS)]);

// The colours of one theme: for each part its edge, and its tones.
function paintsOf(theme, conducting) {
  const dark = theme.name === "dark" ? theme.edge : theme.text;
  const ramp = (colour) => [
    mix(colour, dark, 0.8),
    ...TONES.map((_, k) => -0.45 + 0.15 * k).map((light) => (light < 0 ? mix(colour, dark, -light) : mix(colour, WHITE, light))),
  ];
  const cloth = (colour, sheen) => [theme.rim, ...TONES.map((_, k) => mix(colour, sheen, k / TONES.length))];
  const plain = (colour, shade) => [shade, ...TONES.map((_, k) => mix(shade, colour, clip(0.35 + 0.3 * k, 0, 1)))];
  const ghost = mix(theme.centre, theme.middle, 0.2);
  const paints = {
    coat: cloth(theme.coat, theme.lapel),
    sleeve: cloth(mix(theme.coat, theme.lapel, 0.35), mix(theme.lapel, theme.rim, 0.35)),
    trousers: cloth(theme.coat, theme.lapel),
    shoe: cloth(theme.coat, theme.rim),
    linen: plain(theme.linen, theme.linen_shade),
    baton: TONES.map(() => theme.baton).concat([theme.baton]),
    cork: ramp(theme.cork),
    chest: ramp(theme.middle),
    limb: ramp(theme.middle),
    hips: ramp(mix(theme.middle, theme.edge, 0.25)),
    neck: ramp(conducting ? theme.skin_shade : theme.skin),
    skull: ramp(theme.skin),
    hand: ramp(theme.skin),
    ear: ramp(theme.skin_shade),
    hair: ramp(conducting ? theme.hair : CHESTNUT),
    ghost: TONES.map(() => ghost).concat([ghost]),
  };
  for (const side of SIDES) {
    for (const part of ["arm", "leg"]) paints[part + side] = ramp(theme[side]);
    paints[`foot${side}`] = ramp(mix(theme[side], dark, 0.4));
  }
  return paints;
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
  const share = 0.3 * (1 - clip(near, 0, 1));
  const largest = Math.max(...hulls.flat().map((disc) => disc[2]));
  const fill = (colour, ...shape) => {
    context.fillStyle = ink(colour);
    for (const discs of hulls) {
      traceHull(context, discs, ...shape);
      context.fill();
    }
  };
  fill(paint[0], 0, 0, 1.2);
  TONES.forEach(([less, aside], k) => {
    if (k % 2 && largest < 7) return; // too small to tell
    fill(mix(paint[k + 1], theme.edge, share), less, aside);
  });
}

const HAIR = 1.5; // radians from its middle to its edge
const CROWN = [0.72, -0.69]; // where its middle is, up and ahead

// The part of the hair that can be seen: a cap on the ball of the head.
function paintHair(context, camera, head, paint, theme, near) {
  const crown = unit(along(times(head.up, CROWN[0]), head.ahead, CROWN[1]));
  const [x, y, scale] = camera.project(head.centre);
  const rim = seenOfCap(crown, HAIR, camera.viewer).map((at) => camera.project(along(head.centre, at, 1.03 * head.radius)));
  tracePolygon(context, rim);
  context.fillStyle = ink(mix(paint[1], theme.edge, 0.3 * (1 - clip(near, 0, 1))));
  context.fill();
  const shift = 0.12 * head.radius * scale;
  tracePolygon(context, rim.map((at) => [x + 0.86 * (at[0] - x) + shift * LIGHT[0], y + 0.86 * (at[1] - y) + shift * LIGHT[1]]));
  context.fillStyle = ink(mix(paint[4], theme.edge, 0.3 * (1 - clip(near, 0, 1))));
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

const TRAIL = 1; // seconds
const BANDS = 12;

// The light that a hand leaves behind; `points` are [x, y] in pixels, the oldest first.
function paintTrail(context, points, width, colour) {
  const last = points.length - 1;
  const edges = points.map(([x, y], k) => {
    const [ax, ay] = points[Math.max(k - 1, 0)];
    const [bx, by] = points[Math.min(k + 1, last)];
    const apart = Math.hypot(bx - ax, by - ay) || 1;
    const half = (width / 2) * (k / last) ** 0.7;
    const [nx, ny] = [(-(by - ay) / apart) * half, ((bx - ax) / apart) * half];
    return [[x + nx, y + ny], [x - nx, y - ny]];
  });
  for (let band = 0; band < BANDS; band++) {
    const some = edges.slice(Math.round((band * last) / BANDS), Math.round(((band + 1) * last) / BANDS) + 1);
    tracePolygon(context, [...some.map((edge) => edge[0]), ...some.reverse().map((edge) => edge[1])]);
    context.fillStyle = ink(colour, 0.75 * ((band + 1) / BANDS) ** 1.8);
    context.fill();
  }
}
