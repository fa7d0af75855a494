// Node's `ws` broadcasting the same ticks to everybody, as fast as its sockets take them.
const { WebSocketServer } = require("ws");

const symbols = ["PF_XBTUSD", "PF_ETHUSD", "PF_SOLUSD", "PI_XBTUSD", "PI_ETHUSD"];
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false });
let number = 0;

function tick() {
  const symbol = symbols[number % symbols.length];
  const price = String(60000 + (number % 500));
  const fields = { id: `t${number}`, symbol, side: "buy", price, size: "0.25", at: Date.now(), kind: "fill" };
  number += 1;
  return Buffer.from(JSON.stringify(fields));
}

function broadcast() {
  const held = [...server.clients].some((client) => client.bufferedAmount > 1 << 20);
  if (!held && server.clients.size) {
    const text = tick();
    for (const client of server.clients) client.send(text, { binary: false });
  }
  setImmediate(broadcast);
}

broadcast();
