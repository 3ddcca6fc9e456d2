// A figure as ictus/render/figure.py describes it: named points, rules by which others follow, and solids of balls.

const WORLD = { "+x": [1, 0, 0], "+y": UP, "+z": [0, 0, 1] };
const KINDS = {
  sum: (one) => one,
  unit,
  cross: (one, other) => unit(cross(one, other)),
  square,
  depth: ([x, y, z]) => [0, 0, Math.sqrt(Math.max(z * z - x * x - y * y, (0.3 * z) ** 2))],
};

class Figure {
  constructor(described, track) {
    Object.assign(this, described, { track });
    this.rules = new Map(described.rules.map(([name, kind, weights, other]) => [name, { kind, weights, other }]));
  }

  // A function that returns sums of points at this time; each point is worked out once.
  sums(seconds) {
    const known = new Map(Object.entries(WORLD));
    const at = (name) => {
      if (!known.has(name)) {
        const rule = this.rules.get(name);
        known.set(name, rule ? KINDS[rule.kind](sum(rule.weights), rule.other && at(rule.other)) : this.track.at(name, seconds));
      }
      return known.get(name);
    };
    const sum = (weights) => {
      let total = [0, 0, 0];
      for (const name in weights) total = along(total, at(name), weights[name]);
      return total;
    };
    return sum;
  }

  solidsAt(seconds) {
    const sum = this.sums(seconds);
    return this.solids.map(({ paint, hulls, before, patches, cap }) => ({
      paint, before,
      hulls: hulls.map((balls) => balls.map(([radius, at]) => [sum(at), radius])),
      patches: patches.map(([colour, corners]) => [colour, corners.map(sum)]),
      cap: cap && [cap[0], sum(cap[1])],
    }));
  }
}
