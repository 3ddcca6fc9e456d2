// Where a motion's joints are at any time, between the frames as well.

class Track {
  // A flat motion is turned up (y up, as in space) and has no depth.
  constructor(motion) {
    const { frames, joints, size, positions } = motion;
    this.fps = motion.fps;
    this.frames = frames;
    this.flat = size === 2;
    this.points = new Map(); // name -> Float64Array, frames x 3
    const names = Object.entries(motion.places); // the usual ones, such as "left_wrist"
    motion.skeleton.joints.forEach((name, joint) => names.push([name, joint]));
    names.forEach(([name, joint]) => {
      const track = new Float64Array(frames * 3);
      for (let frame = 0; frame < frames; frame++) {
        const from = (frame * joints + joint) * size;
        track[3 * frame] = positions[from];
        track[3 * frame + 1] = this.flat ? -positions[from + 1] : positions[from + 1];
        track[3 * frame + 2] = this.flat ? 0 : positions[from + 2];
      }
      this.points.set(name, track);
    });
  }

  get duration() {
    return this.frames / this.fps;
  }

  has(name) {
    return this.points.has(name);
  }

  // Adds a point that follows from others: make(at, frame) -> [x, y, z], where at(name) is a point in this frame.
  add(name, make) {
    const track = new Float64Array(this.frames * 3);
    for (let frame = 0; frame < this.frames; frame++) track.set(make((other) => this.frame(other, frame), frame), 3 * frame);
    this.points.set(name, track);
  }

  steady(name, seconds) {
    this.points.set(name, smoothed(this.points.get(name), 3, seconds * this.fps));
  }

  frame(name, frame) {
    const track = this.points.get(name);
    return [track[3 * frame], track[3 * frame + 1], track[3 * frame + 2]];
  }

  // The point at this time, on a smooth curve (Catmull-Rom) through the frames.
  at(name, seconds) {
    const track = this.points.get(name);
    const last = this.frames - 1;
    const place = clip(seconds * this.fps, 0, last);
    const frame = Math.min(Math.floor(place), Math.max(last - 1, 0));
    const t = place - frame;
    const [before, from, to, after] = [frame - 1, frame, frame + 1, frame + 2].map((k) => 3 * clip(k, 0, last));
    const point = [0, 0, 0];
    for (let k = 0; k < 3; k++) {
      const [a, b, c, d] = [track[before + k], track[from + k], track[to + k], track[after + k]];
      point[k] = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    }
    return point;
  }

  // About `count` frames, spread evenly over the motion: enough to measure it by.
  some(count = 240) {
    const step = Math.max(1, Math.floor(this.frames / count));
    return Array.from({ length: Math.ceil(this.frames / step) }, (_, k) => k * step);
  }
}
