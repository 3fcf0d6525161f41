/* map_basemap.ts - the ground of the map: the bundled world, and above it a region's own file where
 * the operator gave one (`callout serve --basemap FILE`). Both are PMTiles: one file, of which the
 * few tiles in sight are read by Range requests to our own server. */
import VectorTileLayer from "ol/layer/VectorTile.js";
import VectorTileSource from "ol/source/VectorTile.js";
import MVT from "ol/format/MVT.js";
import TileState from "ol/TileState.js";
import type { FeatureLike } from "ol/Feature.js";
import type VectorTile from "ol/VectorTile.js";
import type RenderFeature from "ol/render/Feature.js";
import Fill from "ol/style/Fill.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import Text from "ol/style/Text.js";
import { createXYZ } from "ol/tilegrid.js";
import { PMTiles } from "pmtiles";
import type { Colours } from "./map_sprites.ts";

const regionPath = "/basemap/region.pmtiles";

function makeSource(archive: PMTiles, maxZoom: number): VectorTileSource {
  const format = new MVT();
  return new VectorTileSource({
    format, tileGrid: createXYZ({ maxZoom, tileSize: 512 }), url: "{z}/{x}/{y}",
    tileLoadFunction: (asked) => {
      const tile = asked as VectorTile<RenderFeature>;
      tile.setLoader((extent, _resolution, projection) => {
        const [z, x, y] = tile.getTileCoord();
        archive.getZxy(z ?? 0, x ?? 0, y ?? 0).then((found) => {
          tile.setFeatures(found === undefined ? []
            : format.readFeatures(found.data, { extent, featureProjection: projection }));
        }, () => tile.setState(TileState.ERROR));
      });
    },
  });
}

function worldStyle(colours: Colours): (feature: FeatureLike, resolution: number) => Style {
  const land = new Style({
    fill: new Fill({ color: colours.land }),
    stroke: new Stroke({ color: colours.border, width: 1 }),
  });
  const named = new Style({
    fill: new Fill({ color: colours.land }),
    stroke: new Stroke({ color: colours.border, width: 1 }),
    text: new Text({ font: "12px system-ui, sans-serif", fill: new Fill({ color: colours.label }) }),
  });
  return (feature, resolution) => {
    if (resolution > 8000 || resolution < 400) return land;
    named.getText()?.setText(String(feature.get("name") ?? ""));
    return named;
  };
}

/* The layers of the usual schemas (Protomaps, OpenMapTiles), as far as a quiet ground needs them. */
function regionStyle(colours: Colours): (feature: FeatureLike, resolution: number) => Style | undefined {
  const fill = (color: string) => new Style({ fill: new Fill({ color }) });
  const line = (color: string, width: number) => new Style({ stroke: new Stroke({ color, width }) });
  const water = fill(colours.water), land = fill(colours.land), building = fill(colours.building);
  const border = line(colours.border, 1), road = line(colours.road, 1.2), main = line(colours.road, 3);
  const label = new Style({
    text: new Text({
      font: "12px system-ui, sans-serif", fill: new Fill({ color: colours.label }),
      stroke: new Stroke({ color: colours.land, width: 3 }), overflow: true,
    }),
  });
  return (feature, resolution) => {
    switch (feature.get("layer")) {
      case "earth": return land;
      case "water": case "waterway": return water;
      case "boundaries": case "boundary": return border;
      case "buildings": case "building": return resolution < 6 ? building : undefined;
      case "roads": case "transportation": {
        const kind = String(feature.get("kind") ?? feature.get("class") ?? "");
        if (/highway|motorway|trunk|primary|major/.test(kind)) return main;
        return resolution < 40 ? road : undefined;
      }
      case "places": case "place":
        label.getText()?.setText(String(feature.get("name") ?? ""));
        return label;
      default: return undefined;
    }
  };
}

export class Basemap {
  readonly world: VectorTileLayer;
  region: VectorTileLayer | null = null;

  constructor(private colours: Colours) {
    this.world = new VectorTileLayer({
      source: makeSource(new PMTiles(new URL(BASEMAP, location.href).href), 6),
      style: worldStyle(colours), declutter: true, className: "m-world", renderMode: "vector",
    });
  }

  /* Is there a region? Its header is a range of bytes; a server that has none says 204. */
  async findRegion(): Promise<VectorTileLayer | null> {
    try {
      const there = await fetch(regionPath, { headers: { Range: "bytes=0-6" }, cache: "no-store" });
      if (there.status !== 206 || (await there.text()) !== "PMTiles") return null;
      const archive = new PMTiles(new URL(regionPath, location.href).href);
      const header = await archive.getHeader();
      this.region = new VectorTileLayer({
        source: makeSource(archive, header.maxZoom), style: regionStyle(this.colours),
        declutter: true, className: "m-region",
      });
      return this.region;
    } catch {
      return null;
    }
  }

  recolour(colours: Colours): void {
    this.colours = colours;
    this.world.setStyle(worldStyle(colours));
    this.region?.setStyle(regionStyle(colours));
  }
}
