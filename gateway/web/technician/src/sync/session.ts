/* session.ts - who this device is: the requests of Enroll and Hello with their signatures. */
import type { EnrollRequest, HelloReply, HelloRequest } from "@callout/shared/wire";
import { fromBase64, int64, signedText, toBase64, uint32, utf8 } from "./bytes.ts";
import type { DeviceKey } from "./ports.ts";
import type { Identity } from "./rows.ts";

export async function enrollRequest(
  token: string, key: DeviceKey, deviceName: string,
): Promise<string> {
  const request: EnrollRequest = {
    enrolToken: token, keyAlgorithm: "ecdsa-p256", publicKey: toBase64(key.publicKey),
    signature: toBase64(await key.sign(utf8(token))), deviceName,
  };
  return JSON.stringify(request);
}

/* Asks for the nonce. */
export function helloRequest(identity: Identity, deviceTimeUs: string): string {
  const request: HelloRequest = {
    deviceId: identity.deviceId, epoch: identity.epoch, deviceTimeUs,
  };
  return JSON.stringify(request);
}

/* Gives it back signed. The installation's name is the one that the device enrolled at, so that no
 * other one can pass its signature on. */
export async function signedHello(
  identity: Identity, deviceTimeUs: string, nonce: string, key: DeviceKey,
): Promise<string> {
  const text = signedText("callout hello", [
    fromBase64(nonce), utf8(identity.deviceId), uint32(identity.epoch), utf8(identity.serverName),
    int64(BigInt(deviceTimeUs)),
  ]);
  const signature = toBase64(await key.sign(text));
  const request: HelloRequest = {
    deviceId: identity.deviceId, epoch: identity.epoch, deviceTimeUs, nonce, signature,
  };
  return JSON.stringify(request);
}

export function sessionOf(body: unknown): HelloReply {
  return (body ?? {}) as HelloReply;
}
