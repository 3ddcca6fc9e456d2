// A whole body in space, by the tables that ictus/render/body.py reads too: solids, each the hull of balls.

const { SIDES, TALL, LEG, HEAD_RADIUS, HEAD_OVER_JOINT, HEAD_OVER_NECK, DERIVED, BODY } = TABLES;

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
    const at = remembered((name) => track.at(name, seconds), known);
    const axes = this.axes(at);
    const head = this.head(at, axes, seconds);
    ["across", "up", "ahead"].forEach((name, k) => known.set(name, axes[k]));
    Object.entries({ head_centre: head.centre, face: head.ahead, crown: head.up, vertical: UP }).forEach(([name, to]) => known.set(name, to));
    // The weighted sum of points, and of steps along directions.
    const place = (points, steps) => {
      let sum = [0, 0, 0];
      for (const name in points) sum = along(sum, at(name), points[name]);
      for (const name in steps) sum = along(sum, at(name), steps[name] * scale);
      return sum;
    };
    for (const [name, isDirection, points, steps] of DERIVED) {
      if (isDirection) known.set(name, unit(place(points)));
      else if (!track.has(name)) known.set(name, place(points, steps));
    }
    return BODY.map(([part, side, before, balls]) => ({
      part, side, before: before * scale,
      balls: balls.map(([radius, points, steps]) => [place(points, steps), radius * scale]),
      ...(part === "skull" && { head }),
    }));
  }

  head(at, [, up, ahead], seconds) {
    const { track, unit: scale } = this;
    let centre;
    if (this.looks) [up, ahead] = [this.looks.at("up", seconds), this.looks.at("ahead", seconds)].map(unit);
    if (track.has("head")) {
      if (!this.looks) up = unit(minus(at("head"), at("waist")));
      centre = along(along(at("head"), up, HEAD_OVER_JOINT[0] * scale), ahead, HEAD_OVER_JOINT[1] * scale);
    } else {
      const around = [...track.points.keys()].filter((name) => /^(left|right)_(head|ear)$/.test(name)).map(at);
      centre = around.length ? times(around.reduce(plus), 1 / around.length) : along(at("neck"), up, HEAD_OVER_NECK * scale);
      if (track.has("nose") && around.length) ahead = unit(minus(at("nose"), centre));
    }
    return { centre, ahead, up: square(up, ahead), radius: HEAD_RADIUS * scale };
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
