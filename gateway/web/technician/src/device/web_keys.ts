/* web_keys.ts - the device's key in WebCrypto: ECDSA P-256 whose private half no script can read.
 *
 * It lies in the store as a CryptoKey, is written before it is used, and goes with the rest when the
 * device is erased. A secure context (https, or localhost) is needed; elsewhere there is no key.
 */
import type { DeviceKey, Keys, Store } from "../sync/ports.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256" };

async function make(store: Store): Promise<CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey(algorithm, false, ["sign"]) as CryptoKeyPair;
  await store.write([{ table: "meta", key: "key", value: pair, fresh: true }]);
  return pair;
}

export function webKeys(store: Store): Keys {
  return {
    async deviceKey(): Promise<DeviceKey> {
      const kept = (await store.get("meta", "key")) as CryptoKeyPair | undefined;
      const pair = kept ?? (await make(store));
      return {
        publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)),
        async sign(bytes: Uint8Array) {
          const hashed = { name: "ECDSA", hash: "SHA-256" };
          const text = new Uint8Array(bytes); // of a buffer of its own, as WebCrypto's types want
          return new Uint8Array(await crypto.subtle.sign(hashed, pair.privateKey, text));
        },
      };
    },
  };
}
