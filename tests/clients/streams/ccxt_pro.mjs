// What a bot in JavaScript does with a socket; says each thing it got as a line of JSON.
import { createRequire } from "node:module";

const { MODULES, API_KEY, API_SECRET, URL_OF_CALLS, URL_OF_SOCKETS } = process.env;
const ccxt = createRequire(MODULES)("ccxt");
const PAIR = "BTC/USD";

const exchange = new ccxt.pro.kraken({
  apiKey: API_KEY,
  secret: API_SECRET,
  enableRateLimit: false,
  urls: {
    api: {
      public: URL_OF_CALLS,
      private: URL_OF_CALLS,
      ws: { publicV2: URL_OF_SOCKETS, privateV2: URL_OF_SOCKETS, private: URL_OF_SOCKETS },
    },
  },
});
const say = (name, value) => console.log(JSON.stringify([name, value]));

const until = async (watch, isIt) => {
  for (;;) {
    const found = (await watch()).find(isIt);
    if (found) return found;
  }
};

try {
  // It wants this once where an address is no wss://.
  await exchange.loadHttpProxyAgent();
  const ticker = await exchange.watchTicker(PAIR);
  say("ticker", { bid: ticker.bid, ask: ticker.ask });
  const book = await exchange.watchOrderBook(PAIR);
  say("book", { bids: book.bids.slice(), asks: book.asks.slice() });
  say("trades", (await exchange.watchTrades(PAIR)).slice());
  say("candles", (await exchange.watchOHLCV(PAIR, "1m")).slice());
  say("balance", (await exchange.watchBalance()).total);

  const resting = exchange.watchOrders();
  const made = await exchange.createOrderWs(PAIR, "limit", "buy", 0.01, 10000, { clientOrderId: "mine" });
  say("made", made);
  const isMine = (order) => order.id === made.id;
  const first = (await resting).find(isMine) ?? (await until(() => exchange.watchOrders(), isMine));
  say("order", { id: first.id, status: first.status, price: first.price, amount: first.amount });
  const end = until(() => exchange.watchOrders(), (order) => isMine(order) && order.status === "canceled");
  say("cancelled", await exchange.cancelOrderWs(made.id));
  say("end", (await end).status);

  const trades = exchange.watchMyTrades();
  const balance = exchange.watchBalance();
  const filled = await exchange.createOrderWs(PAIR, "market", "sell", 0.01);
  say("trade", { mine: (await trades)[0].order === filled.id, ...(await trades)[0] });
  await balance;
  say("cancelled all", await exchange.cancelAllOrdersWs());
  try {
    await exchange.cancelOrderWs("OAAAAA-AAAAA-AAAAAA");
  } catch (error) {
    say("refused", error.constructor.name);
  }
} finally {
  await exchange.close();
}
process.exit(0);
