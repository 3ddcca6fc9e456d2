// The flesh of a whole body in space, as ictus/stage/body.py has it: solids, each the hull of balls.

const TALL = 1.7; // metres: the body whose measures stand here
const LEG = 0.78;
const SIDES = ["left", "right"];

class Dancer {
  constructor(motion, track) {
    this.track = track;
    this.looks = motion.skeleton.name === "smpl-24" && motion.rotations ? headTurns(motion) : null;
    this.complete();
    const frames = track.some();
    const at = (name, frame) => track.frame(name, frame);
    const leg = (frame, side) =>
      length(minus(at(`${side}_hip`, frame), at(`${side}_knee`, frame))) +
      length(minus(at(`${side}_knee`, frame), at(`${side}_ankle`, frame)));
    const height = (frame) => at("neck", frame)[1] - Math.min(at("left_ankle", frame)[1], at("right_ankle", frame)[1]);
    const legs = median(frames.map((frame) => (leg(frame, "left") + leg(frame, "right")) / 2)) / LEG;
    this.unit = Math.max(legs, (0.2 * median(frames.map(height))) / TALL) || 1;
    // The sides of a recording may be exchanged, but toes always point forwards.
    this.sense = 1;
    if (track.has("left_toe")) {
      const forward = (frame) => {
        const pose = (name) => at(name, frame);
        return SIDES.reduce((sum, side) => sum + dot(minus(pose(`${side}_toe`), pose(`${side}_ankle`)), this.axes(pose)[2]), 0);
      };
      if (median(frames.map(forward)) < 0) this.sense = -1;
    }
    this.trails = SIDES.map((side) => ({ side, name: track.has(`${side}_hand`) ? `${side}_hand` : `${side}_wrist` }));
  }

  // Adds the points that not every body has.
  complete() {
    const { track } = this;
    track.add("neck", (at) => between(at("left_shoulder"), at("right_shoulder"), 0.5));
    track.add("pelvis", (at) => between(at("left_hip"), at("right_hip"), 0.5));
    if (track.has("spine")) track.add("waist", (at) => at("spine"));
    else if (!track.has("waist")) track.add("waist", (at) => between(at("neck"), at("pelvis"), 0.6));
  }

  // The chest's own left, up and ahead.
  axes(at) {
    const across = unit(minus(at("left_shoulder"), at("right_shoulder")));
    const up = unit(minus(at("neck"), at("waist")));
    return [across, up, times(unit(cross(across, up)), this.sense)];
  }

  solids(seconds) {
    const { track, unit: scale } = this;
    const known = new Map();
    const at = (name) => {
      if (!known.has(name)) known.set(name, track.at(name, seconds));
      return known.get(name);
    };
    const axes = this.axes(at);
    const head = this.head(at, axes, seconds);
    const [across, up] = axes;
    const ball = (point, radius) => [point, radius * scale];
    const solid = (part, side, before, ...balls) => ({ part, side, before: before * scale, balls });
    const ribs = between(at("waist"), at("neck"), 0.25);
    const chest = SIDES.map((side) => {
      const inner = between(at(`${side}_shoulder`), at("neck"), 0.25);
      return ball(along(inner, up, -0.02 * scale), 0.078);
    });
    const hip = (side) => ball(between(at(`${side}_hip`), at("waist"), 0.2), 0.102);
    const aside = (point, shift, radius) => [1, -1].map((way) => ball(along(point, across, way * shift * scale), radius));
    const chin = along(along(head.centre, head.ahead, 0.25 * head.radius), head.up, -0.75 * head.radius);
    return [
      solid("chest", "middle", 0.04, ...chest, ball(along(at("neck"), up, 0.04 * scale), 0.045), ...aside(ribs, 0.05, 0.092)),
      solid("hips", "middle", 0.03, ...aside(at("waist"), 0.045, 0.086), hip("left"), hip("right")),
      solid("neck", "middle", 0, ball(at("neck"), 0.05), ball(head.centre, 0.05)),
      { ...solid("skull", "middle", 0.05, ball(head.centre, 0.1), ball(chin, 0.062)), head },
      ...SIDES.flatMap((side) => [...this.arm(at, side, solid, ball), ...this.leg(at, side, axes, solid, ball)]),
    ];
  }

  head(at, [, up, ahead], seconds) {
    const { track, unit: scale } = this;
    let centre;
    if (this.looks) [up, ahead] = [this.looks.at("up", seconds), this.looks.at("ahead", seconds)].map(unit);
    if (track.has("head")) {
      if (!this.looks) up = unit(minus(at("head"), at("waist")));
      centre = along(along(at("head"), up, 0.085 * scale), ahead, 0.01 * scale);
    } else {
      const around = [...track.points.keys()].filter((name) => /^(left|right)_(head|ear)$/.test(name)).map(at);
      centre = around.length ? times(around.reduce(plus), 1 / around.length) : along(at("neck"), up, 0.2 * scale);
      if (track.has("nose") && around.length) ahead = unit(minus(at("nose"), centre));
    }
    return { centre, ahead, up: square(up, ahead), radius: 0.1 * scale };
  }

  arm(at, side, solid, ball) {
    const [shoulder, elbow, wrist] = ["shoulder", "elbow", "wrist"].map((joint) => at(`${side}_${joint}`));
    const name = `${side}_hand`;
    const palm = this.track.has(name) ? at(name) : along(wrist, unit(minus(wrist, elbow)), 0.08 * this.unit);
    const tips = along(palm, unit(minus(palm, wrist)), 0.05 * this.unit);
    return [
      solid("arm", side, 0, ball(shoulder, 0.058), ball(elbow, 0.042)),
      solid("arm", side, 0, ball(elbow, 0.042), ball(wrist, 0.03)),
      solid("hand", side, 0.02, ball(wrist, 0.024), ball(palm, 0.036), ball(tips, 0.024)),
    ];
  }

  leg(at, side, [, , ahead], solid, ball) {
    const [hip, knee, ankle] = ["hip", "knee", "ankle"].map((joint) => at(`${side}_${joint}`));
    const calf = between(knee, ankle, 0.28);
    const ahead_of_ankle = along(along(ankle, ahead, 0.12 * this.unit), UP, -0.05 * this.unit);
    const toe = this.track.has(`${side}_toe`) ? at(`${side}_toe`) : ahead_of_ankle;
    const down = unit(along(unit(minus(ankle, knee)), unit(minus(toe, ankle)), -0.5));
    const heel = this.track.has(`${side}_heel`) ? at(`${side}_heel`) : along(ankle, down, 0.05 * this.unit);
    const tip = along(toe, unit(minus(toe, heel)), 0.05 * this.unit);
    return [
      solid("leg", side, 0, ball(hip, 0.088), ball(knee, 0.056)),
      solid("leg", side, 0, ball(knee, 0.055), ball(calf, 0.055), ball(ankle, 0.036)),
      solid("foot", side, 0, ball(ankle, 0.038), ball(heel, 0.03), ball(toe, 0.032), ball(tip, 0.022)),
    ];
  }
}

// How the head is turned: its own axes up and ahead, as a track of two points.
function headTurns({ skeleton, rotations, frames, joints, fps }) {
  const chain = [];
  for (let joint = skeleton.joints.indexOf("head"); joint >= 0; joint = skeleton.parents[joint]) chain.push(joint);
  const positions = new Float64Array(frames * 6);
  for (let frame = 0; frame < frames; frame++) {
    [UP, [0, 0, 1]].forEach((axis, k) => {
      let turned = axis;
      for (const joint of chain) {
        const m = rotations.subarray(9 * (frame * joints + joint), 9 * (frame * joints + joint) + 9);
        turned = [0, 3, 6].map((row) => m[row] * turned[0] + m[row + 1] * turned[1] + m[row + 2] * turned[2]);
      }
      positions.set(turned, 6 * frame + 3 * k);
    });
  }
  return new Track({ fps, frames, joints: 2, size: 3, positions, places: {}, skeleton: { joints: ["up", "ahead"] } });
}
