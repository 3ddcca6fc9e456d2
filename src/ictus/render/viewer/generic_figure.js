// Any other body, flat or in space: limbs along its bones, and a trunk and a head where it has the joints for them.

const { TRUNK, FACE_JOINTS, LIMB, PLAYER_LIMB, LIMB_SHARES, TAPER, NECK } = TABLES;
const FACE = new RegExp(FACE_JOINTS.join("|"));
const LIGHTS = /(wrist|hand)$/;

class GenericFigure {
  constructor(motion, track) {
    this.track = track;
    const { joints, bones, mirror } = motion.skeleton;
    const sideOf = (joint) => motion.sides[joint];
    this.player = motion.skeleton.name === "solos-47";
    const spans = track.some().map((frame) => {
      const heights = joints.map((name) => track.frame(name, frame)[1]);
      return Math.max(...heights) - Math.min(...heights);
    });
    const shoulders = (frame) => length(minus(track.frame("left_shoulder", frame), track.frame("right_shoulder", frame)));
    this.unit = (this.player ? 1.1 * median(track.some().map(shoulders)) : 0.22 * median(spans)) || 1;
    this.trunk = TRUNK.every((name) => track.has(name));
    this.face = joints.filter((name) => FACE.test(name.toLowerCase()));
    const flesh = new Set([...this.face, ...(this.trunk ? TRUNK.map((name) => joints[motion.places[name]]) : [])]);
    this.bones = bones
      .map(([a, b]) => ({ a: joints[a], b: joints[b], side: sideOf(b) }))
      .filter(({ a, b }) => !(flesh.has(a) && flesh.has(b)) && !(this.player && a === "neck"));
    for (const bone of this.bones) {
      bone.length = median(track.some().map((frame) => length(minus(track.frame(bone.a, frame), track.frame(bone.b, frame)))));
    }
    const hands = joints.filter((name, joint) => sideOf(joint) !== "middle" && LIGHTS.test(name.toLowerCase()));
    this.trails = hands.slice(0, 2).map((name) => ({ side: sideOf(joints.indexOf(name)), name }));
    this.hem = this.player;
  }

  solids(seconds) {
    const { track, unit: u, face } = this;
    const at = remembered((name) => track.at(name, seconds));
    const solid = (part, side, ...balls) => ({ part, side, before: 0, balls });
    const solids = [];
    const thickness = this.player ? PLAYER_LIMB : LIMB;
    const middle = (names) => times(names.map(at).reduce(plus), 1 / names.length);
    if (this.player) {
      // Of a player only arms and hands are known; a body behind them lets the eye find its way.
      const across = unit(minus(at("left_shoulder"), at("right_shoulder")));
      const down = unit(plus(square([0, -1, 0], across), [0, -1, 0])); // half as oblique as the shoulders
      const neck = at("neck");
      const low = along(neck, down, 1.5 * u);
      solids.push(
        solid("ghost", "middle",
          ...SIDES.map((side) => [along(at(`${side}_shoulder`), down, 0.06 * u), 0.13 * u]),
          [along(neck, down, 0.02 * u), 0.13 * u],
          ...[1, -1].map((way) => [along(low, across, 0.26 * way * u), 0.2 * u])),
        solid("ghost", "middle", [neck, 0.11 * u], [along(neck, down, -0.3 * u), 0.1 * u]),
        solid("ghost", "middle", [along(neck, down, -0.55 * u), 0.21 * u], [along(neck, down, -0.42 * u), 0.16 * u]),
      );
    }
    if (this.trunk) {
      solids.push(solid("chest", "middle", ...TRUNK.map((name) => [at(name), 0.24 * u])));
      if (face.length) solids.push(solid("neck", "middle", [middle(TRUNK.slice(0, 2)), NECK[0] * u], [middle(face), NECK[1] * u]));
    }
    for (const { a, b, side, length: reach } of this.bones) {
      const finger = /thumb|index|middle|ring|pinky/.test(b);
      const part = finger ? "hand" : side === "middle" ? "limb" : "arm";
      const [thick, thin] = finger ? [0.034 * u, 0.026 * u] : [Math.min(thickness * u, LIMB_SHARES[0] * reach), Math.min(TAPER * thickness * u, LIMB_SHARES[1] * reach)];
      solids.push(solid(part, side, [at(a), thick], [at(b), thin]));
    }
    if (face.length) solids.push(solid("skull", "middle", [middle(face), 0.3 * u]));
    return solids;
  }
}
