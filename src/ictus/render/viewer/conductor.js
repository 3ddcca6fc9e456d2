// A conductor in white tie. Lengths count in `unit`, the width of the shoulders; cut and cloth are the films' own.

const { CHEST, COLLAR, BOW, SLEEVE, LINEN, BATON, HAND, CUFF, GRIP, HAND_SHARE, HAND_LENGTH, BATON_ALONG, BATON_UP } = TABLES;
const { RISE, RISE_RANGE, SWAY, TEMPLE, ROLL, TURN } = TABLES;

class Conductor {
  constructor(motion, track) {
    this.track = track;
    const usual = TABLES.CONDUCTOR_WIDTHS[motion.skeleton.name];
    const width = (frame) => length(minus(track.frame("left_shoulder", frame), track.frame("right_shoulder", frame)));
    this.unit = clip(median(track.some().map(width)), 0.3 * usual, 3 * usual);
    this.complete();
    this.trails = [{ side: "left", name: "left_hand" }, { side: "right", name: "tip" }];
    this.hem = track.flat; // a flat one fades out below the hips
  }

  complete() {
    const { track, unit: width } = this;
    for (const name of ["nose", "left_eye", "right_eye", "left_ear", "right_ear"]) track.steady(name, 0.25); // they tremble
    track.add("neck", (at) => between(at("left_shoulder"), at("right_shoulder"), 0.5));
    track.add("hips", (at) => between(at("left_hip"), at("right_hip"), 0.5));
    // Recorded heads drift away from the shoulders; no neck is that long.
    track.add("skull", (at) => {
      const ears = between(at("left_ear"), at("right_ear"), 0.5);
      if (!track.flat) return ears;
      const rise = times(minus(between(ears, between(at("left_eye"), at("right_eye"), 0.5), 0.5), at("neck")), 1 / width);
      const calm = [SWAY * Math.tanh(rise[0] / SWAY), RISE + 0.02 + RISE_RANGE * Math.tanh((rise[1] - RISE) / RISE_RANGE), 0];
      return along(at("neck"), calm, width);
    });
    for (const side of SIDES) {
      if (track.has(`${side}_hand`)) continue;
      track.add(`${side}_hand`, (at) => {
        const fore = minus(at(`${side}_wrist`), at(`${side}_elbow`));
        return along(at(`${side}_wrist`), fore, Math.min(HAND_SHARE, (HAND_LENGTH * width) / Math.max(length(fore), 1e-6)));
      });
    }
    if (track.has("baton")) {
      track.add("tip", (at) => at("baton"));
    } else {
      // Without a baton in the data, the conductor holds it a little up and inwards.
      track.add("forwards", (at) => minus(at("right_wrist"), at("right_elbow")));
      track.steady("forwards", 0.12);
      track.add("tip", (at) => plus(along(at("right_hand"), at("forwards"), BATON_ALONG), times([...BATON_UP, 0], width)));
    }
    if (track.flat) return;
    // In space the conductor stands on two legs, of which the motion says nothing.
    for (const side of SIDES) {
      const hips = track.some().map((frame) => track.frame(`${side}_hip`, frame));
      this[side] = [median(hips.map((hip) => hip[0])), 0.05, median(hips.map((hip) => hip[2]))];
    }
  }

  solids(seconds) {
    const { track, unit: u } = this;
    const at = remembered((name) => track.at(name, seconds));
    const across = unit(minus(at("left_shoulder"), at("right_shoulder")));
    const up = unit(minus(at("neck"), at("hips")));
    const ahead = track.flat ? [0, 0, 1] : unit(cross(across, up));
    const ball = (point, radius) => [point, radius * u];
    const solid = (part, before, ...balls) => ({ part, side: "middle", before: before * u, balls });
    const place = (point, x, y, z = 0) => along(along(along(point, across, x * u), up, -y * u), ahead, z * u);
    const trunk = minus(at("hips"), at("neck"));
    // On the cloth of the chest: x in shoulder widths, y from the neck to the hips.
    const on = ([x, y]) => along(place(at("neck"), x, 0, 0.25), trunk, y);
    const patch = (paint, points, facing = ahead) => ({ paint, points, facing });
    const tie = ([x, y]) => place(at("neck"), x, y, 0.25);
    const head = this.head(at, across, up, ahead);
    const ways = (make) => [1, -1].map(make);
    const chest = [
      ...ways((way) => ball(place(at(way > 0 ? "left_shoulder" : "right_shoulder"), -0.04 * way, 0.08), 0.17)),
      ball(place(at("neck"), 0, -0.02), 0.15),
      ...ways((way) => ball(along(place(at("neck"), 0.17 * way, 0, 0.02), trunk, 0.3), 0.27)),
      ...ways((way) => ball(along(place(at("neck"), 0.16 * way, 0), trunk, 0.74), 0.22)),
    ];
    const skirt = [
      ...ways((way) => ball(along(place(at("neck"), 0.15 * way, 0), trunk, 0.7), 0.22)),
      ...ways((way) => ball(place(at("hips"), 0.19 * way, 0), 0.22)),
      ...ways((way) => ball(place(at("hips"), 0.21 * way, track.flat ? 0.6 : 0.2, -0.02), 0.22)),
    ];
    const ears = ways((way) => {
      const aside = cross(head.up, head.ahead);
      return solid("ear", -0.05, ball(along(along(head.centre, aside, 0.235 * way * u), head.up, -0.05 * u), 0.05));
    });
    const solids = [
      {
        ...solid("coat", 0.08, ...chest),
        hulls: [skirt, chest],
        patches: [
          ...CHEST.map(([paint, outline]) => patch(paint, outline.map(on))),
        ],
      },
      solid("neck", 0.06, ball(place(at("neck"), 0, -0.1), 0.13), ball(between(at("neck"), head.centre, 0.6), 0.13)),
      ...ears,
      {
        ...solid("skull", 0.12, ball(head.centre, 0.25), ball(along(along(head.centre, head.up, -0.17 * u), head.ahead, 0.05 * u), 0.16)),
        head,
        patches: [patch("linen", COLLAR.map(tie)), { ...patch("linen", BOW.map(tie)), edge: "linen_shade" }],
      },
    ];
    for (const side of SIDES) solids.push(...this.arm(at, side, solid, ball));
    if (!track.flat) for (const side of SIDES) solids.push(...this.leg(at, side, solid, ball));
    return solids;
  }

  head(at, across, up, ahead) {
    const { track, unit: u } = this;
    const look = minus(at("nose"), between(at("left_ear"), at("right_ear"), 0.5));
    if (!track.flat) {
      const facing = unit(look);
      const centre = along(along(at("skull"), up, 0.06 * u), facing, 0.07 * u);
      return { centre, ahead: facing, up: square(up, facing), radius: 0.25 * u };
    }
    const level = plus(minus(at("left_ear"), at("right_ear")), minus(at("left_eye"), at("right_eye")));
    const roll = clip(Math.atan2(level[1], Math.max(Math.abs(level[0]), 0.2 * u)), -ROLL, ROLL);
    const right = [Math.cos(roll), Math.sin(roll), 0];
    const upright = [-right[1], right[0], 0];
    const aside = clip(dot(look, right) / (TEMPLE * u), -TURN, TURN);
    const facing = unit(along([0, 0, 1], right, 0.6 * aside));
    return { centre: at("skull"), ahead: facing, up: square(upright, facing), radius: 0.25 * u };
  }

  arm(at, side, solid, ball) {
    const places = Object.fromEntries(["shoulder", "elbow", "wrist", "hand"].map((joint) => [joint, at(`${side}_${joint}`)]));
    places.cuff = between(places.elbow, places.wrist, CUFF);
    if (side === "right") {
      places.baton = at("tip");
      places.grip = along(places.hand, unit(minus(places.baton, places.hand)), -GRIP * this.unit);
    }
    const balls = ([, from, to, thick, thin]) => [ball(places[from], thick), ball(places[to], thin)];
    const sleeve = SLEEVE.map(balls);
    const before = { linen: 0.03, hand: 0.06 };
    const parts = [LINEN, ...(side === "right" ? BATON : []), HAND];
    return [
      { ...solid("sleeve", 0.02, ...sleeve.flat()), hulls: sleeve },
      ...parts.map((part) => solid(part[0], before[part[0]] ?? 0.02, ...balls(part))),
    ];
  }

  leg(at, side, solid, ball) {
    const [hip, foot] = [at(`${side}_hip`), this[side]];
    const knee = along(between(hip, foot, 0.5), [0, 0, 1], 0.06 * this.unit);
    const toe = plus(foot, [side === "left" ? 0.03 : -0.03, -0.02, 0.15]);
    const top = between(hip, at("hips"), 0.35);
    const trousers = [[ball(top, 0.19), ball(knee, 0.155)], [ball(knee, 0.155), ball(foot, 0.12)]];
    return [
      { ...solid("trousers", -0.1, ...trousers.flat()), hulls: trousers },
      solid("shoe", 0.4, ball(plus(foot, [0, -0.015, -0.02]), 0.09), ball(toe, 0.08)),
    ];
  }
}
