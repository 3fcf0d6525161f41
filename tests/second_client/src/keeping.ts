// keeping.ts - what the device must not forget: its identity, and its commands.
//
// The outbox is a file of lines "SEQ BASE64 DIGEST", one per command, synced before the command
// counts as saved. A last line that is torn was never saved and is cut off; any other that does not
// add up is damage.
import * as fs from "node:fs";
import * as path from "node:path";
import { createHash, createPrivateKey, generateKeyPairSync, KeyObject, sign } from "node:crypto";

export interface Identity {
  privateKey: string; // PEM; made on the device, never leaves it
  deviceId?: string;
  epoch?: number;
  technicianId?: string;
  serverName?: string;
}

function writeDurably(file: string, text: string): void {
  const fresh = file + ".new";
  const fd = fs.openSync(fresh, "w", 0o600);
  fs.writeSync(fd, text);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(fresh, file);
  const folder = fs.openSync(path.dirname(file), "r");
  fs.fsyncSync(folder);
  fs.closeSync(folder);
}

export class Keeping {
  readonly identity: Identity;
  private commands: Buffer[] = []; // command of seq n at n - 1
  private fd: number;

  constructor(private folder: string) {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.identity = this.loadIdentity();
    this.fd = this.openOutbox(path.join(folder, "outbox"));
  }

  get lastSeq(): number {
    return this.commands.length;
  }

  command(seq: number): Buffer {
    return this.commands[seq - 1];
  }

  // Saved once it returned.
  append(command: Uint8Array): void {
    const line = lineOf(this.lastSeq + 1, Buffer.from(command));
    fs.writeSync(this.fd, line);
    fs.fsyncSync(this.fd);
    this.commands.push(Buffer.from(command));
  }

  saveIdentity(): void {
    writeDurably(path.join(this.folder, "identity.json"), JSON.stringify(this.identity));
  }

  publicKey(): Buffer {
    const jwk = this.key().export({ format: "jwk" });
    return Buffer.from(jwk.x!, "base64url");
  }

  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.key());
  }

  private key(): KeyObject {
    return createPrivateKey(this.identity.privateKey);
  }

  // The key is on the disk before any server hears of it.
  private loadIdentity(): Identity {
    const file = path.join(this.folder, "identity.json");
    if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8"));
    const { privateKey } = generateKeyPairSync("ed25519");
    const identity = { privateKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string };
    writeDurably(file, JSON.stringify(identity));
    return identity;
  }

  private openOutbox(file: string): number {
    const text = fs.existsSync(file) ? fs.readFileSync(file, "latin1") : "";
    let sound = 0;
    for (const line of text.split(/(?<=\n)/)) {
      const [, base64] = line.split(" ");
      const command = Buffer.from(base64 ?? "", "base64");
      if (line !== lineOf(this.lastSeq + 1, command)) break;
      this.commands.push(command);
      sound += line.length;
    }
    if (text.indexOf("\n", sound) >= 0) throw new Error(`${file}: line ${this.lastSeq + 1} is damaged`);
    const fd = fs.openSync(file, "a", 0o600);
    fs.ftruncateSync(fd, sound);
    fs.fsyncSync(fd);
    return fd;
  }
}

function lineOf(seq: number, command: Buffer): string {
  const head = `${seq} ${command.toString("base64")}`;
  return `${head} ${createHash("sha256").update(head).digest("hex").slice(0, 16)}\n`;
}
