/* map_clusters.ts - which of the places that are too near to each other to tell apart are drawn as
 * one. Whoever comes first takes all that are within reach and not taken yet; a grid of cells as
 * wide as that reach makes it a matter of nine cells for each, however many there are. */
export interface Spot {
  readonly x: number; // of the map's plane
  readonly y: number;
}

export interface Cluster<Member extends Spot> extends Spot {
  readonly members: readonly Member[];
}

function middle<Member extends Spot>(members: readonly Member[]): Cluster<Member> {
  let x = 0, y = 0;
  for (const member of members) {
    x += member.x;
    y += member.y;
  }
  return { x: x / members.length, y: y / members.length, members };
}

/* `reach` in units of the plane, above 0. Every spot is in one of them. */
export function clusterOf<Member extends Spot>(spots: Iterable<Member>, reach: number): Cluster<Member>[] {
  const cells = new Map<string, Member[]>();
  const cellOf = (value: number) => Math.floor(value / reach);
  const all = [...spots];
  for (const spot of all) {
    const key = `${cellOf(spot.x)} ${cellOf(spot.y)}`;
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, [spot]);
    else cell.push(spot);
  }
  const taken = new Set<Member>();
  const out: Cluster<Member>[] = [];
  for (const spot of all) {
    if (taken.has(spot)) continue;
    const members: Member[] = [];
    const column = cellOf(spot.x), row = cellOf(spot.y);
    for (let i = column - 1; i <= column + 1; i++)
      for (let j = row - 1; j <= row + 1; j++)
        for (const other of cells.get(`${i} ${j}`) ?? [])
          if (!taken.has(other) && Math.abs(other.x - spot.x) <= reach && Math.abs(other.y - spot.y) <= reach) {
            taken.add(other);
            members.push(other);
          }
    out.push(middle(members));
  }
  return out;
}
