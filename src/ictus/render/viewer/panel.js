// A stage with one motion or several: their figures, its camera, and the hands that turn it.

const { TRAIL_SECONDS, TRAIL_STEPS, TRAIL_WIDTH, TRAIL_LEAST } = TABLES;

class Panel {
  constructor(motions, canvas) {
    Object.assign(this, { motions, canvas, context: canvas.getContext("2d"), stale: true });
    this.figures = motions.map((motion) => new Figure(motion.figure, new Track(motion)));
    const [{ track, flat }] = this.figures; // the target is that of all
    Object.assign(this, { track, camera: new Camera(motions[0].figure, motions[0].extent) });
    this.floor = flat ? null : new Floor(this.camera);
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.listen();
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
    this.paints = paintsOf(theme);
    this.stale = true;
  }

  draw(seconds, trails) {
    const { context, camera, figures, theme } = this;
    if (!this.width) return;
    camera.ready(this.track.at("+target", seconds));
    context.clearRect(0, 0, this.width, this.height);
    const solidsAt = (second) => figures.flatMap((figure) => figure.solidsAt(second));
    const solids = solidsAt(seconds);
    if (figures[0].stands) this.standing ??= solidsAt(0); // so does the shadow
    this.floor?.paint(context, this.standing ?? solids, theme);
    const layers = solids.map((solid) => shapesOf(solid, camera, this.paints, theme.edge));
    if (trails) {
      for (const figure of figures) layers.push(...figure.trails.map((trail) => this.trail(figure, trail, seconds)));
    }
    layers.sort((a, b) => b.away - a.away); // the farthest first
    for (const { shapes, paint } of layers) {
      if (paint) paint();
      else for (const [outline, colour] of shapes) fillPolygon(context, outline, colour);
    }
    this.stale = false;
  }

  trail(figure, [side, name], seconds) {
    const { camera } = this;
    const count = TRAIL_BANDS * TRAIL_STEPS;
    const points = Array.from({ length: count + 1 }, (_, k) => {
      return camera.project(figure.sums(Math.max(seconds - TRAIL_SECONDS * (1 - k / count), 0))({ [name]: 1 }));
    });
    const width = Math.max(TRAIL_WIDTH * camera.unit * points[count][2], TRAIL_LEAST);
    return { away: points[count][3] + 0.02, paint: () => paintTrail(this.context, points, width, this.theme[side]) };
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
