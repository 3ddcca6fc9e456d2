// Brings the page to life: panels, clock, controls, keys.

const SPEEDS = [0.25, 0.5, 0.75, 1];
const DECAY = 0.22; // seconds until a lamp has lost two thirds of its light

const find = (selector) => document.querySelector(selector);
const page = JSON.parse(find("#motions").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function soundElement() {
  const store = find("#sound");
  if (!store.textContent) return null;
  const audio = find("audio");
  audio.preservesPitch = true;
  audio.src = URL.createObjectURL(new Blob([bytesOf(store.textContent)], { type: store.dataset.type }));
  store.textContent = "";
  return audio;
}

class Viewer {
  constructor(motions) {
    this.clock = new Clock(page.duration, soundElement());
    this.clock.onmute = () => (find(".notice").textContent = "This browser cannot play the sound; the motion goes on without it.");
    this.beats = countBars(motions.find(({ meta }) => meta.beats?.times?.length)?.meta.beats);
    const peaks = page.peaks ? bytesOf(page.peaks) : null;
    this.timeline = new Timeline(find(".timeline"), this.clock, peaks, this.beats);
    this.panels = (page.together ? [motions] : motions.map((motion) => [motion])).map((some) => this.panel(some));
    this.trails = !calm.matches;
    this.controls();
    this.dress(page.theme);
    this.drawn = -1;
    requestAnimationFrame(() => this.tick());
  }

  panel(motions) {
    const described = ({ title, meta, skeleton, frames }) => `${title || (meta.model ?? skeleton.name)}: ${skeleton.name}, ${frames} frames`;
    const canvas = make("canvas", { role: "img", tabindex: "0", "aria-label": motions.map(described).join("; ") });
    const captions = motions.map((motion, line) => this.caption(motion, line));
    find(".panels").append(make("figure", {}, canvas, ...captions));
    return new Panel(motions, canvas);
  }

  caption(motion, line) {
    const buttons = [make("button", { title: "Save this motion as JSON", onclick: () => save(jsonOf(motion), `${motion.file}.json`, "application/json") }, "JSON")];
    if (motion.turning) {
      buttons.push(make("button", { title: "Save this motion as BVH, for 3-D programs", onclick: () => save(bvhOf(motion), `${motion.file}.bvh`, "text/plain") }, "BVH"));
    }
    return make("figcaption", { style: `margin-top:${1.8 * line}rem` }, make("span", { class: "name" }, motion.title), make("span", { class: "saves" }, ...buttons));
  }

  dress(name) {
    this.theme = { name };
    for (const [part, colour] of Object.entries(page.themes[name])) {
      this.theme[part] = rgb(colour);
      document.documentElement.style.setProperty(`--${part.replace("_", "-")}`, colour);
    }
    document.documentElement.dataset.theme = name;
    find(".theme").setAttribute("aria-label", name === "dark" ? "Light colours" : "Dark colours");
    for (const panel of this.panels) panel.dress(this.theme);
    this.timeline.stale = true;
  }

  controls() {
    const on = (selector, act) => find(selector).addEventListener("click", act);
    on(".play", () => this.toggle());
    on(".theme", () => this.dress(this.theme.name === "dark" ? "light" : "dark"));
    on(".trails", () => this.showTrails(!this.trails));
    on(".keys", () => find("dialog").showModal());
    on("dialog", () => find("dialog").close());
    find(".speed").addEventListener("change", (event) => this.clock.speed(Number(event.target.value)));
    this.showTrails(this.trails);
    find(".beat").hidden = !this.beats;
    document.addEventListener("keydown", (event) => this.key(event));
  }

  showTrails(shown) {
    this.trails = shown;
    find(".trails").setAttribute("aria-pressed", shown);
    for (const panel of this.panels) panel.stale = true;
  }

  toggle() {
    if (this.clock.playing) this.clock.pause();
    else this.clock.play();
  }

  faster(step) {
    const speed = SPEEDS[clip(SPEEDS.indexOf(this.clock.rate) + step, 0, SPEEDS.length - 1)];
    this.clock.speed(speed);
    find(".speed").value = speed;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(SELECT|INPUT)$/.test(event.target.tagName)) return;
    const { clock } = this;
    const frame = 1 / this.panels[0].track.fps;
    const acts = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      ArrowLeft: () => clock.seek(clock.now() - (event.shiftKey ? frame : 5)),
      ArrowRight: () => clock.seek(clock.now() + (event.shiftKey ? frame : 5)),
      Home: () => clock.seek(0),
      End: () => clock.seek(clock.duration),
      "<": () => this.faster(-1),
      ">": () => this.faster(1),
      t: () => this.showTrails(!this.trails),
      l: () => find(".theme").click(),
      r: () => this.panels.forEach((panel) => panel.reset()),
      "?": () => find("dialog").showModal(),
    };
    const press = event.key === " " && event.target.tagName === "BUTTON"; // the button's own
    if (/^[0-9]$/.test(event.key)) clock.seek((Number(event.key) / 10) * clock.duration);
    else if (acts[event.key] && !press) acts[event.key]();
    else return;
    event.preventDefault();
  }

  tick() {
    const now = this.clock.now();
    const moved = now !== this.drawn;
    for (const panel of this.panels) if (moved || panel.stale) panel.draw(now, this.trails);
    if (moved || this.timeline.stale) this.timeline.draw(now, this.theme);
    if (moved || this.playing !== this.clock.playing) this.tell(now);
    this.drawn = now;
    requestAnimationFrame(() => this.tick());
  }

  tell(now) {
    this.playing = this.clock.playing;
    const text = `${clockText(now, true)}`;
    if (find(".now").textContent !== text) find(".now").textContent = text;
    const play = find(".play");
    play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    play.classList.toggle("playing", this.playing);
    const slider = find(".timeline");
    slider.setAttribute("aria-valuenow", now.toFixed(1));
    slider.setAttribute("aria-valuetext", clockText(now));
    if (this.beats) this.count(now);
  }

  // The bar, and its beats as lamps: one lit at each beat and dying down after it.
  count(now) {
    const { times: beats, positions, numbers, counts } = this.beats;
    let beat = -1;
    while (beat + 1 < beats.length && beats[beat + 1] <= now + 1e-6) beat++;
    const lamps = find(".lamps");
    const count = counts[Math.max(beat, 0)];
    while (lamps.children.length > count) lamps.lastChild.remove();
    while (lamps.children.length < count) lamps.append(make("i"));
    const age = beat < 0 ? Infinity : now - beats[beat];
    const light = calm.matches ? 1 : Math.exp(-age / DECAY);
    [...lamps.children].forEach((lamp, k) => {
      lamp.style.setProperty("--light", beat >= 0 && positions[beat] === k + 1 ? light.toFixed(2) : 0);
    });
    const bar = beat < 0 ? "–" : String(numbers[beat]);
    if (find(".bar").textContent !== bar) find(".bar").textContent = bar;
  }
}

if (window.DecompressionStream) Promise.all(page.motions.map(unpackMotion)).then((motions) => (window.viewer = new Viewer(motions)));
else find(".notice").textContent = "This browser is too old to show the motion; one of 2023 or later can.";
