// One motion on its own stage: its figure, its camera, and the hands that turn it.

const MEMBERS = new Set(["sleeve", "linen", "baton", "cork", "hand", "arm"]); // of a flat body, what lies before the trails

class Panel {
  constructor(motion, canvas) {
    this.motion = motion;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.track = new Track(motion);
    this.conducting = motion.skeleton.name in TABLES.CONDUCTOR_WIDTHS;
    const Figure = this.conducting ? Conductor : motion.whole ? Dancer : GenericFigure;
    this.figure = new Figure(motion, this.track);
    const { flat } = this.track;
    // A conductor's unit is a shoulder, a dancer's a body of usual size.
    this.size = flat ? this.figure.unit : this.conducting ? 1 : motion.whole ? this.figure.unit : this.figure.unit / 0.37;
    this.camera = new Camera(flat, this.size);
    this.floor = flat ? null : new Floor(this.camera);
    this.path = flat ? null : this.followed();
    this.stale = true;
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.listen();
  }

  // Where the camera looks: a point on the floor that goes along with the body, calmly.
  followed() {
    const { track, motion } = this;
    const name = ["pelvis", "root", "waist"].find((joint) => track.has(joint)) ?? motion.skeleton.joints[0];
    const middle = track.points.get(name);
    const path = this.conducting ? this.standing(middle) : smoothed(middle, 3, 1.6 * track.fps);
    return (seconds) => {
      const frame = Math.round(clip(seconds * track.fps, 0, track.frames - 1));
      return [path[3 * frame], this.ground(seconds), path[3 * frame + 2]];
    };
  }

  standing(middle) {
    const place = [0, 1, 2].map((k) => median(middle.filter((_, number) => number % 3 === k)));
    return Float64Array.from({ length: middle.length }, (_, number) => place[number % 3]);
  }

  ground(seconds) {
    const { floor } = this.motion; // once a second
    const place = clip(seconds, 0, floor.length - 1);
    const second = Math.floor(place);
    const next = floor[Math.min(second + 1, floor.length - 1)];
    return floor[second] + (next - floor[second]) * (place - second);
  }

  // All that the figure ever reaches, as the camera sees it from the front.
  extent() {
    const { camera, track } = this;
    const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
    for (const frame of track.some(160)) {
      if (this.path) camera.target = this.path(frame / track.fps);
      for (const { balls, hulls } of this.figure.solids(frame / track.fps)) {
        for (const [point, radius] of hulls?.flat() ?? balls) {
          const [x, y, near] = camera.slope(point);
          const reach = track.flat ? radius : (radius / camera.unit) * near;
          low[0] = Math.min(low[0], x - reach), high[0] = Math.max(high[0], x + reach);
          low[1] = Math.min(low[1], y - reach), high[1] = Math.max(high[1], y + reach);
        }
      }
    }
    if (this.figure.hem && this.conducting) {
      // Never less than a quiet conductor with room to breathe.
      const middle = median(track.some().map((frame) => track.frame("hips", frame)[0]));
      low[0] = Math.min(low[0], middle - 1.6 * this.figure.unit), high[0] = Math.max(high[0], middle + 1.6 * this.figure.unit);
    }
    this.lowest = low[1];
    return { low, high };
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.max(Math.round(width * ratio), 1);
    this.canvas.height = Math.max(Math.round(height * ratio), 1);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const margin = Math.min(0.06 * Math.min(width, height), 40);
    this.camera.box = { left: margin, top: Math.max(0.1 * height, 48), right: width - margin, bottom: height * 0.95 };
    [this.width, this.height] = [width, height];
    this.stale = true;
  }

  dress(theme) {
    this.theme = theme;
    this.paints = paintsOf(theme, this.conducting);
    this.stale = true;
  }

  draw(seconds, trails) {
    const { context, camera, figure, theme } = this;
    if (!this.width) return;
    if (this.path) camera.target = this.path(seconds);
    camera.ready();
    context.clearRect(0, 0, this.width, this.height);
    const solids = figure.solids(seconds);
    this.floor?.paint(context, solids, theme);
    const usual = this.path ? camera.slope(plus(camera.target, [0, HEIGHT * camera.unit, 0]))[3] : 0;
    const layers = solids.map((solid) => {
      const discs = (balls) => balls.map(([point, radius]) => {
        const [x, y, scale, away] = camera.project(point);
        return [x, y, radius * scale, away];
      });
      const projected = (solid.hulls ?? [solid.balls]).map(discs);
      const distance = discs(solid.balls).reduce((sum, disc) => sum + disc[3], 0) / solid.balls.length;
      const near = this.path ? 0.5 + (usual - distance) / TABLES.DEPTH : 1;
      return { away: distance - solid.before / camera.unit, paint: () => this.paintSolid(solid, projected, near), part: solid.part };
    });
    const lights = trails ? figure.trails.map((trail) => this.trail(trail, seconds)) : [];
    if (this.path) {
      for (const layer of [...layers, ...lights].sort((a, b) => b.away - a.away)) layer.paint();
    } else {
      for (const layer of layers) if (!MEMBERS.has(layer.part)) layer.paint();
      if (figure.hem) this.fade();
      for (const light of lights) light.paint();
      for (const layer of layers) if (MEMBERS.has(layer.part)) layer.paint();
    }
    this.stale = false;
  }

  paintSolid(solid, projected, near) {
    const { context, camera, theme, paints } = this;
    const paint = paints[solid.part + solid.side] ?? paints[solid.part] ?? paints.limb;
    const cover = (patches) => {
      for (const { paint: colour, points, facing, edge } of patches ?? []) {
        if (dot(facing, camera.viewer) < 0.12) continue;
        tracePolygon(context, points.map((point) => camera.project(point)));
        context.fillStyle = ink(theme[colour]);
        context.fill();
        if (!edge) continue;
        context.strokeStyle = ink(theme[edge]);
        context.stroke();
      }
    };
    if (solid.head) cover(solid.patches); // the collar lies below the chin
    paintSolid(context, projected, paint, theme, near);
    if (solid.head) paintHair(context, camera, solid.head, paints.hair, theme, near);
    else cover(solid.patches);
  }

  trail({ side, name }, seconds) {
    const { camera, track, context } = this;
    const count = 48;
    const points = Array.from({ length: count + 1 }, (_, k) => {
      return camera.project(track.at(name, Math.max(seconds - TRAIL_SECONDS * (1 - k / count), 0)));
    });
    const width = (this.path ? 0.016 * this.size : 0.045 * this.figure.unit) * points[count][2];
    return { away: points[count][3] + 0.02, paint: () => paintTrail(context, points, Math.max(width, 3), this.theme[side]) };
  }

  // Lets the lower end of a body that has no legs fade into the stage.
  fade() {
    const { context, camera } = this;
    const bottom = camera.project([0, this.lowest, 0])[1];
    const depth = 0.75 * this.figure.unit * camera.now.focal;
    const veil = context.createLinearGradient(0, bottom - depth, 0, bottom - 0.1 * depth);
    for (const [share, opacity] of [[0, 0], [0.25, 0.16], [0.5, 0.5], [0.75, 0.84], [1, 1]]) veil.addColorStop(share, `rgba(0,0,0,${opacity})`);
    context.save();
    context.globalCompositeOperation = "destination-out";
    context.fillStyle = veil;
    context.fillRect(0, bottom - depth, this.width, this.height + depth);
    context.restore();
  }

  // One finger or the mouse turns (or moves what is flat), two fingers or the wheel zoom, shift moves.
  listen() {
    const { canvas, camera } = this;
    const fingers = new Map();
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const spread = ([a, b]) => ({ middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], apart: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const [before, now] = [fingers.get(event.pointerId), place(event)];
      const old = [...fingers.values()];
      fingers.set(event.pointerId, now);
      const [right, down] = [now[0] - before[0], now[1] - before[1]];
      if (fingers.size === 2) {
        const [from, to] = [spread(old), spread([...fingers.values()])];
        camera.zoomBy(to.apart / from.apart, ...to.middle);
        camera.pan = [0, 1].map((k) => camera.pan[k] + to.middle[k] - from.middle[k]);
      } else if (camera.flat || event.shiftKey || event.buttons & 6) {
        camera.pan = [camera.pan[0] + right, camera.pan[1] + down];
      } else {
        camera.orbit(right * 0.008, down * 0.006);
      }
      this.stale = true;
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      camera.zoomBy(Math.exp(-clip(event.deltaY, -120, 120) * 0.0022), ...place(event));
      this.stale = true;
    }, { passive: false });
    canvas.addEventListener("dblclick", () => this.reset());
  }

  reset() {
    this.camera.reset();
    this.stale = true;
  }
}
