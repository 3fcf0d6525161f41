/* map_view.ts - what the board asks of a map, whoever draws it. */
import type { Kind } from "../model/attention.ts";
import type { Day } from "../model/day.ts";

export interface MapPicture {
  day: Day;
  kinds: ReadonlyMap<string, Kind>;
  chip: Kind | null;
  visitId: string | null;
  technicianId: string | null;
  dark: boolean;
}

export interface MapEvents {
  selectVisit(id: string): void;
  selectTechnician(id: string): void;
  /* A place was clicked. True: that was all that the click was for. */
  pick(place: { lat: number; lon: number }): boolean;
}

export interface MapView {
  show(picture: MapPicture, eager: boolean): void;
  reveal(place: { lat: number; lon: number }): void;
  fit(): void;
  zoom(by: 1 | -1): void;
  destroy(): void;
}
