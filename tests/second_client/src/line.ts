// line.ts - one connection to the gateway with one request at a time, in SP framing over tcp or TLS.
//
// A request that has no answer is sent again after a reconnect and when the line stays silent for
// too long: so it may arrive twice, and every request here bears that.
import * as net from "node:net";
import * as tls from "node:tls";
import { readFileSync } from "node:fs";

const GREETING_REQ = Buffer.from([0x00, 0x53, 0x50, 0x00, 0x00, 0x30, 0x00, 0x00]);
const GREETING_REP = Buffer.from([0x00, 0x53, 0x50, 0x00, 0x00, 0x31, 0x00, 0x00]);
const REPLY_BYTES_MAX = 1 << 20;
const RECONNECT_MS_MAX = 30000;

interface Asked {
  id: number;
  frame: Buffer;
  done: (reply: Buffer) => void;
}

export class Line {
  private socket: net.Socket | undefined;
  private received = Buffer.alloc(0);
  private greeted = false;
  private asked: Asked | undefined;
  private nextId = Math.floor(Math.random() * 0x7fffffff);
  private tries = 0;
  private closed = false;
  private silence: NodeJS.Timeout | undefined;

  // `resendMs` must be longer than the server may hold the request.
  constructor(private url: URL, private caFile: string | undefined, private resendMs: number) {
    this.connect();
  }

  ask(body: Uint8Array): Promise<Buffer> {
    if (this.asked) throw new Error("one request at a time");
    this.nextId = (this.nextId + 1) & 0x7fffffff;
    const id = (this.nextId | 0x80000000) >>> 0; // the top bit ends the header
    const frame = Buffer.alloc(12 + body.length);
    frame.writeBigUInt64BE(BigInt(4 + body.length), 0);
    frame.writeUInt32BE(id, 8);
    frame.set(body, 12);
    return new Promise((done) => {
      this.asked = { id, frame, done };
      this.send();
    });
  }

  // As a lost signal does it: what is out is out, its answer never comes.
  cut(): void {
    this.socket?.destroy();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.silence);
    this.socket?.destroy();
  }

  private connect(): void {
    const host = this.url.hostname;
    const port = Number(this.url.port);
    this.greeted = false;
    this.received = Buffer.alloc(0);
    const socket =
      this.url.protocol === "tls+tcp:"
        ? tls.connect({ host, port, ca: readFileSync(this.caFile!), minVersion: "TLSv1.2" })
        : net.connect({ host, port });
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on(socket instanceof tls.TLSSocket ? "secureConnect" : "connect", () =>
      socket.write(GREETING_REQ),
    );
    socket.on("data", (bytes: Buffer) => this.take(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.lost());
  }

  // A fleet that was cut off together must not return in the same second.
  private lost(): void {
    clearTimeout(this.silence);
    if (this.closed) return;
    const most = Math.min(RECONNECT_MS_MAX, 1000 * 2 ** this.tries++);
    setTimeout(() => this.closed || this.connect(), Math.random() * most);
  }

  private send(): void {
    if (!this.asked || !this.greeted) return;
    this.socket!.write(this.asked.frame);
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket!.destroy(), this.resendMs);
  }

  private take(bytes: Buffer): void {
    this.received = Buffer.concat([this.received, bytes]);
    if (!this.greeted) {
      if (this.received.length < GREETING_REP.length) return;
      if (!this.received.subarray(0, 8).equals(GREETING_REP)) return void this.socket!.destroy();
      this.received = this.received.subarray(8);
      this.greeted = true;
      this.tries = 0;
      this.send();
    }
    while (this.received.length >= 8) {
      const size = Number(this.received.readBigUInt64BE(0));
      if (size < 4 || size > REPLY_BYTES_MAX + 4) return void this.socket!.destroy();
      if (this.received.length < 8 + size) return;
      const message = this.received.subarray(8, 8 + size);
      this.received = this.received.subarray(8 + size);
      this.answer(message.readUInt32BE(0), message.subarray(4));
    }
  }

  // A reply to an earlier request, or to an earlier copy of this one, is not waited for any more.
  private answer(id: number, body: Buffer): void {
    if (!this.asked || this.asked.id !== id) return;
    const { done } = this.asked;
    this.asked = undefined;
    clearTimeout(this.silence);
    done(Buffer.from(body));
  }
}
