// From a body's coordinates to pixels: flat bodies seen from the front, others in perspective from any side.

const { FAR, HEIGHT, PITCH, NEAREST } = TABLES;

class Camera {
  constructor(flat, unit) {
    this.flat = flat;
    this.unit = unit;
    this.target = [0, 0, 0];
    this.box = { left: 0, top: 0, right: 1, bottom: 1 };
    this.extent = { low: [-1, -1], high: [1, 1] };
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

  // What is seen at right and up of the middle, in slopes, or where a body is flat in its own units; and how near it is.
  slope(point) {
    const from = this.flat ? point : along(times(minus(point, this.target), 1 / this.unit), UP, -HEIGHT);
    if (this.flat) return [from[0], from[1], 1, -from[2]];
    const away = FAR - dot(from, this.viewer);
    const near = 1 / Math.max(away, NEAREST * FAR);
    return [dot(from, this.right) * near, dot(from, this.up) * near, near, away];
  }

  get focal() {
    const { box, extent } = this;
    const room = [box.right - box.left, box.bottom - box.top];
    const [low, high] = [extent.low, extent.high];
    const wide = this.flat ? high[0] - low[0] : 2 * Math.max(-low[0], high[0]);
    return this.zoom * Math.min(room[0] / Math.max(wide, 1e-9), room[1] / Math.max(high[1] - low[1], 1e-9));
  }

  centre() {
    const { box, extent, focal } = this;
    const x = this.flat ? (extent.low[0] + extent.high[0]) / 2 : 0;
    const y = (extent.low[1] + extent.high[1]) / 2;
    return [(box.left + box.right) / 2 - focal * x + this.pan[0], (box.top + box.bottom) / 2 + focal * y + this.pan[1]];
  }

  // Call once for each picture, before `project`.
  ready() {
    this.now = { focal: this.focal, centre: this.centre() };
  }

  // [x, y in pixels, pixels per unit of the body, how far away]
  project(point) {
    const [x, y, near, away] = this.slope(point);
    const { focal, centre } = this.now;
    const scale = this.flat ? focal : (focal * near) / this.unit;
    return [centre[0] + focal * x, centre[1] - focal * y, scale, away];
  }
}
