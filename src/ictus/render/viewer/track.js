// Where a motion's joints, and what else is known in each frame, are at any time, between the frames as well.

class Track {
  // A flat motion is turned up (y up, as in space) and has no depth.
  constructor({ fps, frames, joints, size, positions, skeleton, figure, more }) {
    Object.assign(this, { fps, frames });
    this.points = new Map(); // name -> Float64Array, frames x 3
    const names = [...skeleton.joints.map((name, joint) => [name, joint]), ...Object.entries(figure.joints)];
    for (const [name, joint] of names) {
      const track = new Float64Array(frames * 3);
      for (let frame = 0; frame < frames; frame++) {
        const from = (frame * joints + joint) * size;
        track.set([positions[from], size === 2 ? -positions[from + 1] : positions[from + 1], size === 2 ? 0 : positions[from + 2]], 3 * frame);
      }
      this.points.set(name, track);
    }
    for (const name in more) this.points.set(name, more[name]);
  }

  // The point at this time, on a smooth curve (Catmull-Rom) through the frames.
  at(name, seconds) {
    const track = this.points.get(name);
    const last = this.frames - 1;
    const place = clip(seconds * this.fps, 0, last);
    const frame = Math.min(Math.floor(place), Math.max(last - 1, 0));
    const t = place - frame;
    const [before, from, to, after] = [frame - 1, frame, frame + 1, frame + 2].map((k) => 3 * clip(k, 0, last));
    return [0, 1, 2].map((k) => {
      const [a, b, c, d] = [track[before + k], track[from + k], track[to + k], track[after + k]];
      return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    });
  }
}
