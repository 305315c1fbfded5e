// Envía el mismo evento con el SDK de CloudEvents, sin tocarlo, en los tres modos; escribe lo que se respondió.
import { CloudEvent, HTTP, emitterFor, httpTransport } from "cloudevents";

const [direccion, tipo] = process.argv.slice(2);
const transporte = httpTransport(direccion);
const evento = (modo) =>
  new CloudEvent({
    id: `ñ-${modo}`,
    source: "/tienda",
    type: tipo,
    time: "2024-01-15T10:35:00Z",
    extension: "con acento: á",
    data: {
      id: `js-${modo}`,
      campaña_id: "cmp-ñ",
      tipo_conversion: "VENTA",
      valor: "150000.50",
      moneda: "COP",
    },
  });
const dicho = {};
dicho.estructurado = await emitterFor(transporte, { mode: "structured" })(evento("estructurado"));
// El SDK no escapa en las cabeceras lo que no es ASCII: la ñ y la á llegan en Latin-1.
dicho.binario = await emitterFor(transporte, { mode: "binary" })(evento("binario"));
// Para un lote el SDK da cada evento en JSON; la lista la pone quien envía.
const eventos = ["lote-1", "lote-2"].map((modo) => HTTP.structured(evento(modo)).body);
dicho.lote = await transporte({
  headers: { "content-type": "application/cloudevents-batch+json" },
  body: `[${eventos.join(",")}]`,
});
const cuerpos = Object.entries(dicho).map(([modo, { body }]) => [modo, JSON.parse(body)]);
console.log(JSON.stringify(Object.fromEntries(cuerpos)));
