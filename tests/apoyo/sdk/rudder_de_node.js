// Lo que hace un programa con @rudderstack/rudder-sdk-node, que comprime y dice enviar un formulario.
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const Analytics = RudderAnalytics.default ?? RudderAnalytics;
const cliente = new Analytics(process.argv[3], { dataPlaneUrl: process.argv[2], flushAt: 100 });
const properties = {
  order_id: "pedido-rudder-js",
  campaign_id: "cmp-sdk",
  influencer_id: "inf-1",
  total: 150000.55,
  currency: "COP",
};
for (let vez = 0; vez < 2; vez += 1) cliente.track({ userId: "usr-1", event: "Order Completed", properties });
cliente.track({ userId: "usr-1", event: "Email Opened", messageId: "ignorado-rudder-js" });
const fallo = await new Promise((seguir) => cliente.flush(seguir));
if (fallo) {
  console.error(fallo);
  process.exit(1);
}
console.log(JSON.stringify({ pedido: "pedido-rudder-js", ignorado: "ignorado-rudder-js" }));
process.exit(0);
