// The floor of a body in space: a pool of light, lines to see the way by, and a soft shadow.

const { TILE, REACH, CAST, SHADOW_GROWTH, SHADOW_HEIGHT, SHADOW_LEAST, SHADOW_SMALLEST } = TABLES;
const COARSE = 6; // pixels of the picture in one of the shadow's, for it is soft anyway

class Floor {
  constructor(camera) {
    this.camera = camera;
    this.sheet = document.createElement("canvas");
  }

  paint(context, solids, theme) {
    this.light(context, theme);
    this.grid(context, theme);
    this.shadow(context, solids, theme);
  }

  light(context, theme) {
    const { camera } = this;
    const [x, y, scale] = camera.project(camera.target);
    const radius = 2.6 * scale * camera.unit;
    const squash = Math.max(Math.abs(Math.sin(camera.pitch)), 0.05);
    const pool = context.createRadialGradient(0, 0, 0, 0, 0, radius);
    for (const [share, opacity] of [[0, 0.62], [0.3, 0.46], [0.6, 0.17], [0.8, 0.05], [1, 0]]) {
      pool.addColorStop(share, ink(theme.pool, opacity));
    }
    context.save();
    context.translate(x, y);
    context.scale(1, squash);
    context.fillStyle = pool;
    context.fillRect(-radius, -radius, 2 * radius, 2 * radius);
    context.restore();
  }

  grid(context, theme) {
    const { camera } = this;
    const tile = TILE * camera.unit;
    const count = Math.round(REACH / TILE);
    const [x0, floor, z0] = camera.target;
    const [column, row] = [Math.round(x0 / tile), Math.round(z0 / tile)];
    const strokes = new Map(); // by opacity
    const points = [];
    for (let i = -count; i <= count; i++) {
      const line = [];
      for (let j = -count; j <= count; j++) {
        const [x, z] = [(column + i) * tile, (row + j) * tile];
        const fade = clip(1 - Math.hypot(x - x0, z - z0) / (REACH * camera.unit), 0, 1) ** 1.5;
        line.push([...camera.project([x, floor, z]), fade]);
      }
      points.push(line);
    }
    const connect = (a, b) => {
      const bucket = Math.round(Math.min(a[4], b[4]) * 10);
      if (!bucket || Math.min(a[3], b[3]) < NEAREST * FAR) return;
      if (!strokes.has(bucket)) strokes.set(bucket, new Path2D());
      strokes.get(bucket).moveTo(a[0], a[1]);
      strokes.get(bucket).lineTo(b[0], b[1]);
    };
    points.forEach((line, i) => line.forEach((point, j) => {
      if (j) connect(line[j - 1], point);
      if (i) connect(points[i - 1][j], point);
    }));
    context.lineWidth = 1;
    for (const [bucket, path] of strokes) {
      context.strokeStyle = ink(theme.name === "dark" ? WHITE : theme.text, (bucket / 10) * 0.17);
      context.stroke(path);
    }
  }

  shadow(context, solids, theme) {
    const { camera, sheet } = this;
    const { canvas } = context;
    const ratio = context.getTransform().a;
    sheet.width = Math.ceil(canvas.width / ratio / COARSE);
    sheet.height = Math.ceil(canvas.height / ratio / COARSE);
    const shade = sheet.getContext("2d");
    shade.scale(1 / COARSE, 1 / COARSE);
    const [floor, body, dark] = [camera.target[1], camera.unit, theme.name === "dark"];
    const shapes = solids.flatMap(({ hulls }) => hulls).filter((balls) => balls.some((ball) => ball[1] > SHADOW_SMALLEST * body)).map((balls) => {
      const discs = balls.map(([[x, y, z], radius]) => {
        const height = Math.max(y - floor, 0);
        return [x + CAST[0] * height, z + CAST[1] * height, radius * (1.4 + (SHADOW_GROWTH * height) / body), height];
      });
      const outline = hullOf(discs, 20).map(([x, z]) => camera.project([x, floor, z]));
      const height = discs.reduce((sum, disc) => sum + disc[3], 0) / discs.length / body;
      return { outline, depth: clip(1 - height / SHADOW_HEIGHT, SHADOW_LEAST, 1) };
    });
    shapes.sort((a, b) => a.depth - b.depth); // the palest first
    for (const { outline, depth } of shapes) {
      shade.globalCompositeOperation = "destination-out";
      fillPolygon(shade, outline, [0, 0, 0]);
      shade.globalCompositeOperation = "source-over";
      fillPolygon(shade, outline, dark ? [0, 0, 0] : theme.text, depth * (dark ? 0.72 : 0.36));
    }
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(sheet, 0, 0, sheet.width * COARSE, sheet.height * COARSE);
  }
}
