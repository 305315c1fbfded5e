/** Una petición: un lote de líneas a `POST /tracking/lotes`, y qué se supo de él. Ningún fallo es una excepción. */
export const ELEMENTOS = 1_000;
export const OCTETOS = 5 * 1024 * 1024;
/** Los octetos que el servicio admite comprimidos, y cuántas veces mayores pueden salir. */
const COMPRIMIDOS = 1024 * 1024;
const INFLADO = 100;
const PROPIO = "urn:alpespartners:error:";
const PLAZO = 30_000;
const [PRIMERA_ESPERA, ESPERA_MAXIMA, PEDIDA_MAXIMA] = [500, 30_000, 3_600_000];
const NADA = { resultados: [], espera: 0, noCabe: false, sinRemedio: false };

/** Envía el lote; devuelve `resultados` (uno por línea) o, si no los hay, `motivo`, y cuánto se pide esperar. */
export async function enviar(destino, clave, lineas) {
  let cuerpo = new TextEncoder().encode(lineas.join("\n"));
  const headers = { "Content-Type": "application/x-ndjson" };
  const comprimido = new Uint8Array(
    await new Response(new Blob([cuerpo]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
  if (cuerpo.length / INFLADO < comprimido.length && comprimido.length <= Math.min(COMPRIMIDOS, cuerpo.length)) {
    cuerpo = comprimido;
    headers["Content-Encoding"] = "gzip";
  }
  if (clave) headers.Authorization = `Bearer ${clave}`;
  try {
    const señal = AbortSignal.timeout(PLAZO);
    const pedido = { method: "POST", headers, body: cuerpo, redirect: "manual", signal: señal };
    const respuesta = await fetch(destino, pedido);
    return contestacion(respuesta.status, respuesta.headers.get("Retry-After"), await respuesta.text(), lineas.length);
  } catch (error) {
    return { ...NADA, motivo: `no se pudo hablar con la API (${error.cause?.code ?? error.message})` };
  }
}

/** Lo que dice una respuesta; la que no trae un resultado por línea no dice nada de ninguna. */
export function contestacion(estado, reintento, cuerpo, enviadas) {
  const pedida = /^\d+$/.test(reintento ?? "") ? Number(reintento) * 1000 : Date.parse(reintento) - Date.now();
  const espera = Math.min(Math.max(0, pedida) || 0, PEDIDA_MAXIMA); // puede ser una fecha
  const { resultados, suya } = leer(cuerpo);
  if ((estado === 200 || estado === 503) && resultados?.length === enviadas) {
    return { ...NADA, resultados, espera, motivo: "el broker no confirmó algunos eventos" };
  }
  const motivo = `la API respondió ${estado} ${cuerpo.slice(0, 600).replace(/\s+/g, " ")}`;
  // El evento que no cabe solo lo rechaza la API; un intermediario puede responder 413 a todos.
  if (estado === 413 && enviadas === 1 && suya) {
    const errores = [{ campo: "", codigo: "longitud_excedida", mensaje: motivo }];
    return { ...NADA, resultados: [{ estado: "RECHAZADA", indice: 0, errores }] };
  }
  const noCabe = estado === 413 && enviadas > 1;
  const repetible = estado >= 500 || [408, 425, 429].includes(estado) || noCabe;
  return { ...NADA, motivo, espera, noCabe, sinRemedio: !(estado >= 200 && estado < 300) && !repetible };
}

/** Los resultados, si son válidos, y si la respuesta es de la propia API y no de un intermediario. */
function leer(cuerpo) {
  try {
    const { resultados, type } = JSON.parse(cuerpo);
    const validos = resultados?.every((uno) => uno.estado && (uno.estado !== "RECHAZADA" || uno.errores));
    return { resultados: validos ? resultados : null, suya: !!resultados || String(type).startsWith(PROPIO) };
  } catch {
    return { resultados: null, suya: false };
  }
}

/** Milisegundos hasta el siguiente intento: el doble cada vez, con azar, y nunca menos de lo que se pidió. */
export function esperaTras(fallos, pedida, azar = Math.random) {
  const tope = Math.min(ESPERA_MAXIMA, PRIMERA_ESPERA * 2 ** Math.min(fallos - 1, 10));
  return Math.max(pedida, (tope * (1 + azar())) / 2);
}
