// From a body's coordinates to pixels, in perspective: flat bodies from the front, others from any side.

const { FAR, HEIGHT, PITCH, NEAREST } = TABLES;

class Camera {
  constructor({ flat, unit: size }, extent) {
    Object.assign(this, { flat, extent, unit: size, target: [0, 0, 0], box: { left: 0, top: 0, right: 1, bottom: 1 } });
    this.reset();
  }

  reset() {
    Object.assign(this, { yaw: 0, pitch: this.flat ? 0 : PITCH, zoom: 1, pan: [0, 0] });
    this.turn();
  }

  turn() {
    const [sy, cy, sp, cp] = [Math.sin(this.yaw), Math.cos(this.yaw), Math.sin(this.pitch), Math.cos(this.pitch)];
    this.right = [cy, 0, -sy];
    this.up = [-sy * sp, cp, -cy * sp];
    this.viewer = [sy * cp, sp, cy * cp]; // towards the camera
  }

  orbit(right, down) {
    this.yaw -= right;
    this.pitch = clip(this.pitch + down, -0.1, 1.45);
    this.turn();
  }

  // Zooms so that the pixel [x, y] stays where it is.
  zoomBy(factor, x, y) {
    const zoom = clip(this.zoom * factor, 0.4, 8);
    const share = zoom / this.zoom;
    const [cx, cy] = this.centre();
    this.pan = [this.pan[0] + (1 - share) * (x - cx), this.pan[1] + (1 - share) * (y - cy)];
    this.zoom = zoom;
  }

  get focal() {
    const { box, extent: { low, high } } = this;
    const wide = 2 * Math.max(-low[0], high[0], 1e-6);
    return this.zoom * Math.min((box.right - box.left) / wide, (box.bottom - box.top) / Math.max(high[1] - low[1], 1e-6));
  }

  centre() {
    const { box, extent: { low, high }, pan } = this;
    return [(box.left + box.right) / 2 + pan[0], (box.top + box.bottom) / 2 + (this.focal * (low[1] + high[1])) / 2 + pan[1]];
  }

  // Call once for each picture, before `project`.
  ready(target) {
    Object.assign(this, { target, now: { focal: this.focal, centre: this.centre() } });
    this.eye = along(along(target, UP, HEIGHT * this.unit), this.viewer, FAR * this.unit);
  }

  // [x, y in pixels, pixels per unit of the motion, how far away in body sizes]
  project(point) {
    const { focal, centre } = this.now;
    const from = along(times(minus(point, this.target), 1 / this.unit), UP, -HEIGHT);
    const away = Math.max(FAR - dot(from, this.viewer), NEAREST * FAR);
    const scale = focal / away;
    return [centre[0] + dot(from, this.right) * scale, centre[1] - dot(from, this.up) * scale, scale / this.unit, away];
  }
}
