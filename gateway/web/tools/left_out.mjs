/* left_out.mjs - parts of the packages that our pages never reach, though what they do reach names
 * them: leftOut() is esbuild's plugin that puts something in their place that weighs nothing.
 *
 * What stands there can be compared with (`instanceof` says no), and fails when it is called. A name
 * that is missing fails the build, and so does, by `unmet`, a part that nothing names any more.
 */

/* Why each is out of reach, and the names that it exports to those who are within. */
const parts = {
  /* Layers get their style as a function, never as flat expressions. */
  "ol/render/canvas/style.js": ["flatStyleLikeToStyleFunction"],
  /* What is under the pointer is known to map_marks.ts; nobody asks the ground. */
  "ol/render/canvas/hitdetect.js": ["HIT_DETECT_RESOLUTION", "createHitDetectionImageData", "hitDetect"],
  /* Every source has the map's own projection. */
  "ol/reproj/Tile.js": ["default"],
  /* The map has buttons of its own, and north is up. */
  "ol/control/defaults.js": ["defaults"],
  "ol/interaction/DragRotate.js": ["default"],
  "ol/interaction/PinchRotate.js": ["default"],
  /* Only the style of whoever gave none. */
  "ol/style/Circle.js": ["default"],
  /* Every browser of es2022 unpacks gzip by itself. */
  "fflate/esm/browser.js": ["decompressSync"],
};

export function leftOut() {
  const met = new Set();
  const plugin = {
    name: "left out",
    setup({ onLoad }) {
      onLoad({ filter: /node_modules.*\.js$/ }, ({ path }) => {
        const name = path.split("/node_modules/").pop();
        const exported = parts[name];
        if (exported === undefined) return null;
        met.add(name);
        const names = exported.map((one) => `none as ${one}`).join(", ");
        return { contents: `function none() { throw new Error("left out of the build: ${name}"); }\nexport { ${names} };` };
      });
    },
  };
  return { plugin, unmet: () => Object.keys(parts).filter((name) => !met.has(name)) };
}
