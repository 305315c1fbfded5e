// Un programa con tipos escrito contra el cliente de clientes/js: lo que debe compilar y lo que no.
import { Cliente, type NuevaConversion, type Veredicto } from "alpespartners-cliente";
import { ColaEnArchivo } from "alpespartners-cliente/archivo";

const cliente = new Cliente({
  direccion: "http://localhost:8000",
  cola: new ColaEnArchivo("cola.ndjson"),
  alRechazar: (evento, [falta]) => console.error(evento.campaña_id, falta?.codigo, falta?.mensaje),
});
const venta: NuevaConversion = { campaña_id: "c", tipo_conversion: "VENTA", valor: "19.90", moneda: "EUR" };
const { id, veredicto } = cliente.conversion(venta);
const dado: Veredicto = await veredicto;
if (dado.estado === "RECHAZADA") console.error(id, dado.errores[0]?.campo);
else if (dado.estado === "SIN_ENVIAR") console.error(dado.motivo);
const { pendientes } = await cliente.cerrar();
console.log(pendientes);

// @ts-expect-error: una impresión no tiene importe.
cliente.impresion({ campaña_id: "c", valor: "1.00" });
// @ts-expect-error: no hay ninguna moneda que se llame así.
cliente.conversion({ ...venta, moneda: "XYZ" });
// @ts-expect-error: el campo se llama campaña_id.
cliente.impresion({ campania_id: "c" });
// @ts-expect-error: sin dirección no hay cliente.
new Cliente({ clave: "k" });
