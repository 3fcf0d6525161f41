/* idb_store.ts - the store in IndexedDB: one database, one object store per table.
 *
 * A write is one transaction of strict durability: it is complete when it is on the disk. The
 * schema has a number; each step of `steps` takes what is there one number on, in the transaction
 * of the upgrade, so a new version of the app finds the outbox of the old one. An app older than
 * its data does not open it. A window that holds an older version lets go when a newer one asks.
 */
import { tables, type RowKey, type Store, type Table, type Write } from "../sync/ports.ts";

const name = "callout-technician";

/* steps[n] makes schema n + 1 of schema n. What was released never changes. */
const steps: ((db: IDBDatabase) => void)[] = [
  (db) => {
    for (const table of ["meta", "command", "visit", "change", "message"]) db.createObjectStore(table);
  },
  (db) => {
    db.createObjectStore("blob");
  },
];

function settled<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class IdbStore implements Store {
  private constructor(private readonly db: IDBDatabase) {}

  /* `onReplaced`: a newer version of the app, or an erasure, wants the database. */
  static async open(onReplaced: () => void): Promise<IdbStore> {
    const request = indexedDB.open(name, steps.length);
    request.onupgradeneeded = ({ oldVersion }) => {
      for (const step of steps.slice(oldVersion)) step(request.result);
    };
    const db = await settled(request);
    db.onversionchange = () => {
      db.close();
      onReplaced();
    };
    db.onclose = onReplaced;
    return new IdbStore(db);
  }

  async all(): Promise<Map<Table, [RowKey, unknown][]>> {
    const transaction = this.db.transaction(tables);
    return new Map(await Promise.all(tables.map(async (table): Promise<[Table, [RowKey, unknown][]]> => {
      const store = transaction.objectStore(table);
      const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
      return [table, keys.map((key, index) => [key as RowKey, values[index]])];
    })));
  }

  async get(table: Table, key: RowKey): Promise<unknown> {
    return settled(this.db.transaction(table).objectStore(table).get(key));
  }

  write(writes: readonly Write[]): Promise<void> {
    return this.transact([...new Set(writes.map(({ table }) => table))], (transaction) => {
      for (const { table, key, value, fresh } of writes) {
        const store = transaction.objectStore(table);
        if (value === undefined) store.delete(key);
        else if (fresh === true) store.add(value, key);
        else store.put(value, key);
      }
    });
  }

  erase(): Promise<void> {
    return this.transact(tables, (transaction) => {
      for (const table of tables) transaction.objectStore(table).clear();
    });
  }

  private transact(
    names: readonly Table[], work: (transaction: IDBTransaction) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.db.transaction(names, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("nothing was saved"));
      work(transaction);
    });
  }
}
