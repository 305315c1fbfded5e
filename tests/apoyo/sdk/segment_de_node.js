// Lo que hace un programa con @segment/analytics-node.
import { Analytics } from "@segment/analytics-node";

const cliente = new Analytics({ writeKey: process.argv[3], host: process.argv[2] });
cliente.on("error", (fallo) => {
  console.error(fallo);
  process.exit(1);
});
const properties = {
  order_id: "pedido-segment-js",
  campaign_id: "cmp-sdk",
  influencer_id: "inf-1",
  total: 150000.55,
  currency: "COP",
};
for (let vez = 0; vez < 2; vez += 1) cliente.track({ userId: "usr-1", event: "Order Completed", properties });
cliente.track({ userId: "usr-1", event: "Email Opened", messageId: "ignorado-segment-js" });
await cliente.closeAndFlush();
console.log(JSON.stringify({ pedido: "pedido-segment-js", ignorado: "ignorado-segment-js" }));
