/** Una API de mentira: responde a cada lote lo que diga el guion y, cuando se acaba, lo acepta. */
import { once } from "node:events";
import http from "node:http";
import zlib from "node:zlib";

export async function apiFalsa(...guion) {
  const api = { guion, lotes: [], cabeceras: [] };
  const servidor = http.createServer(async (peticion, respuesta) => {
    const trozos = [];
    for await (const trozo of peticion) trozos.push(trozo);
    const octetos = Buffer.concat(trozos);
    const texto = peticion.headers["content-encoding"] === "gzip" ? zlib.gunzipSync(octetos) : octetos;
    const lote = texto.toString().split("\n").map((linea) => JSON.parse(linea));
    api.lotes.push(lote);
    api.cabeceras.push(peticion.headers);
    const { codigo = 200, cabeceras = {}, estados, cuerpo } = api.guion.shift() ?? api.responder?.(lote) ?? {};
    await api.puerta;
    respuesta.writeHead(codigo, { Connection: "close", ...cabeceras });
    respuesta.end(cuerpo ?? JSON.stringify({ resultados: resultados(lote, estados) }));
  });
  servidor.listen(0, "127.0.0.1");
  await once(servidor, "listening");
  api.direccion = `http://127.0.0.1:${servidor.address().port}`;
  api.cerrar = () => servidor.close();
  api.ids = () => api.lotes.flat().map((evento) => evento.id);
  return api;
}

function resultados(lote, estados = lote.map(() => "ACEPTADA")) {
  return estados.map((estado, indice) =>
    estado === "RECHAZADA"
      ? { estado, indice, errores: [{ campo: "moneda", codigo: "requerido", mensaje: "falta" }] }
      : { estado, indice, id: lote[indice].id },
  );
}
