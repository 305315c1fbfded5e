/**
 * El cliente: encola al instante, envía por lotes e insiste con los mismos `id` hasta saber de cada evento.
 *
 * Qué es: una cola, quien la vacía y el veredicto de cada evento para quien lo quiera. Node.js y navegadores.
 * Qué no es: todas las operaciones de la API; para leer, genere un cliente de `/openapi.json`.
 * Por qué existe: repetir bien (con el mismo `id`, solo lo que no se sabe, sin ahogar) es fácil de hacer mal.
 */
import { ELEMENTOS, OCTETOS, enviar, esperaTras } from "./envio.js";
import { ColaEnMemoria } from "./memoria.js";

const OCTETOS_DE_UN_EVENTO = 64 * 1024;
const MUCHOS = 10;
const PLAZO_AL_SALIR = 10_000;

/** Este evento no se puede encolar; la frase dice qué campo y qué enviar. */
export class EventoNoValido extends Error {}

/** No caben más: este evento no se encoló. */
export class ColaLlena extends Error {}

/** Un cliente de la API de una dirección. Sus opciones, en `cliente.d.ts`. */
export class Cliente {
  #destino; #clave; #cola; #alRechazar; #maximo; #cada; #registro;
  #veredictos = new Map();
  #tope = ELEMENTOS;
  #fallos = 0;
  #motivo = "";
  #sinRemedio = false;
  #desde = 0;
  #noAntes = 0;
  #pedidoHasta = 0;
  #reloj;
  #enviando = false;
  #prisa = false;
  #avisar = () => {};
  #cierre;
  #informe;
  /** El programa no tiene más que hacer: se envía ya lo que queda; si con eso sigue, el cliente también. */
  #alSalir = async () => {
    if (!this.pendientes || this.#prisa) return;
    if (!(await this.#vaciar(PLAZO_AL_SALIR))) await this.cerrar(0);
  };

  constructor({ direccion, clave, cola, alRechazar, maximoEnCola = 10_000, cada = 500, registro = console }) {
    const destino = new URL(direccion);
    if (!/^https?:$/.test(destino.protocol) || destino.username || destino.password) {
      throw new TypeError("direccion: debe ser http://… o https://…, sin usuario ni clave dentro.");
    }
    this.#destino = destino.origin + destino.pathname.replace(/\/+$/, "") + "/tracking/lotes";
    this.#clave = clave ?? globalThis.process?.env?.ALPES_CLAVE ?? "";
    if (!/^[!-~]*$/.test(this.#clave)) {
      throw new TypeError("clave: lleva un blanco, un salto de línea o algo que no es ASCII.");
    }
    this.#cola = cola ?? new ColaEnMemoria();
    this.#alRechazar = alRechazar ?? (() => {});
    this.#maximo = maximoEnCola;
    this.#cada = cada;
    this.#registro = registro;
    globalThis.process?.on?.("beforeExit", this.#alSalir);
    this.#programar(); // lo que dejó otro proceso
  }

  /** Cuántos eventos no tienen todavía veredicto. */
  get pendientes() {
    return this.#cola.cuantos;
  }

  /** Encola una impresión, un clic o una visualización. */
  impresion(evento) {
    return this.#encolar("impresion", evento);
  }

  /** Encola una conversión. El `valor`, como texto (`"19.90"`) o como entero exacto: nunca con decimales. */
  conversion(evento) {
    return this.#encolar("conversion", evento);
  }

  /** Deja de admitir eventos, envía lo que queda durante esos milisegundos y dice qué quedó sin veredicto. */
  cerrar(plazo = PLAZO_AL_SALIR) {
    this.#cierre ??= this.#cerrar(plazo);
    return this.#cierre;
  }

  async #cerrar(plazo) {
    globalThis.process?.off?.("beforeExit", this.#alSalir);
    await this.#vaciar(plazo);
    clearTimeout(this.#reloj);
    const sera = this.#cola.ruta ? `los enviará el próximo que abra ${this.#cola.ruta}` : "se pierden";
    const motivo = this.pendientes ? `${this.#motivo || "no dio tiempo"}; ${sera}` : "";
    this.#informe = { pendientes: this.pendientes, motivo };
    if (motivo) this.#registro.error(`${this.pendientes} eventos sin veredicto al cerrar: ${motivo}.`);
    for (const resolver of this.#veredictos.values()) resolver({ estado: "SIN_ENVIAR", motivo });
    this.#cola.cerrar();
    return this.#informe;
  }

  /** Envía ya lo encolado; dice si se supo de todo antes de que pasara el plazo o se viera que es inútil. */
  async #vaciar(plazo) {
    this.#prisa = true;
    this.#noAntes = this.#pedidoHasta;
    const limpia = await new Promise((listo) => {
      const limite = setTimeout(listo, plazo, false);
      this.#avisar = () => {
        if (this.pendientes && !this.#sinRemedio) return;
        clearTimeout(limite);
        listo(!this.pendientes);
      };
      this.#avisar();
      this.#programar();
    });
    this.#prisa = false;
    return limpia;
  }

  #encolar(clase, evento) {
    const { id, linea } = lineaDe(clase, evento);
    if (this.#cierre) throw new Error("El cliente está cerrado.");
    if (this.pendientes >= this.#maximo) {
      throw new ColaLlena(`La cola está llena (${this.#maximo} eventos): ${this.#motivo || "no da abasto"}.`);
    }
    if (!this.pendientes) this.#desde = performance.now();
    const numero = this.#cola.poner(linea);
    const veredicto = new Promise((resolver) => this.#veredictos.set(numero, resolver));
    this.#programar();
    return { id, veredicto };
  }

  #programar() {
    if (this.#enviando || this.#informe || !this.pendientes) return;
    clearTimeout(this.#reloj);
    const completo = this.#prisa || this.pendientes >= this.#tope;
    const toca = completo ? this.#noAntes : Math.max(this.#noAntes, this.#desde + this.#cada);
    this.#reloj = setTimeout(() => this.#enviarUno(), Math.max(0, toca - performance.now()));
    // Un evento que espera no impide acabar al proceso: `beforeExit` lo envía, con plazo.
    this.#reloj.unref?.();
  }

  async #enviarUno() {
    this.#enviando = true;
    try {
      const lote = this.#cola.primeros(this.#tope, OCTETOS);
      const dicho = await enviar(this.#destino, this.#clave, [...lote.values()]);
      const sabidos = veredictosDe(lote, dicho);
      for (const [numero, { estado, errores }] of sabidos) {
        if (estado === "RECHAZADA") await this.#decirRechazo(JSON.parse(lote.get(numero)), errores);
      }
      // Si se cerró mientras tanto, el archivo ya puede ser de otro.
      if (!this.#informe) this.#anotar(lote.size, dicho, sabidos);
    } catch (error) {
      this.#registro.error("El cliente falló; seguirá.", error);
      this.#noAntes = performance.now() + esperaTras(MUCHOS, 0);
    }
    this.#enviando = false;
    this.#avisar();
    this.#programar();
  }

  async #decirRechazo(evento, errores) {
    this.#registro.error(`La API rechazó el evento ${evento.id}:`, errores);
    try {
      await this.#alRechazar(evento, errores);
    } catch (error) {
      this.#registro.error(`alRechazar falló con el evento ${evento.id}.`, error);
    }
  }

  #anotar(enviados, dicho, sabidos) {
    this.#cola.quitar([...sabidos.keys()]);
    this.#sinRemedio = dicho.sinRemedio;
    const todos = sabidos.size === enviados;
    // A quien no da abasto, o por una línea lenta, le llega la mitad; cuando puede, el doble.
    this.#tope = todos ? Math.min(ELEMENTOS, this.#tope * 2) : Math.max(1, Math.floor(enviados / 2));
    if (dicho.noCabe || todos) {
      [this.#fallos, this.#motivo, this.#noAntes, this.#pedidoHasta] = [0, "", 0, 0];
    } else {
      this.#retrasar(dicho);
    }
    for (const [numero, veredicto] of sabidos) {
      this.#veredictos.get(numero)?.(veredicto);
      this.#veredictos.delete(numero);
    }
  }

  /** Aplaza el siguiente intento; de un mismo motivo se avisa una vez. */
  #retrasar({ motivo, sinRemedio, espera }) {
    if (motivo !== this.#motivo) {
      const sera = sinRemedio ? "debe arreglarlo alguien; la cola se conserva" : "se repetirá";
      this.#registro[sinRemedio ? "error" : "warn"](`${motivo}: ${sera}.`);
    }
    this.#motivo = motivo;
    this.#fallos = sinRemedio ? MUCHOS : this.#fallos + 1;
    this.#pedidoHasta = performance.now() + espera;
    this.#noAntes = performance.now() + esperaTras(this.#fallos, espera);
  }
}

/** Los que se saben, por su número en la cola; de los demás habrá que volver a preguntar. */
function veredictosDe(lote, { resultados, noCabe, motivo }) {
  const numeros = [...lote.keys()];
  if (noCabe && numeros.length === 1) {
    const errores = [{ campo: "", codigo: "longitud_excedida", mensaje: motivo }];
    return new Map([[numeros[0], { estado: "RECHAZADA", indice: 0, errores }]]);
  }
  const todos = resultados.map((uno, i) => [numeros[i], uno]);
  return new Map(todos.filter(([, uno]) => uno.estado !== "SIN_CONFIRMAR"));
}

/** El `id` del evento y su línea; si no traía `id` o `timestamp`, se le ponen aquí. */
function lineaDe(clase, evento) {
  const campos = { ...evento, id: evento.id ?? uuid7(), clase };
  campos.timestamp ??= new Date().toISOString();
  if (typeof campos.id !== "string" || !campos.id) {
    throw new EventoNoValido("id: debe ser un texto que no esté vacío; si no lo hay, no lo envíe.");
  }
  const { valor } = campos;
  if (valor != null && typeof valor !== "string" && !Number.isSafeInteger(valor)) {
    throw new EventoNoValido(`valor: ${valor} no es un importe exacto: use un texto ("19.90") o un entero.`);
  }
  let linea;
  try {
    linea = JSON.stringify(campos);
  } catch (error) {
    throw new EventoNoValido(`El evento no se puede escribir en JSON: ${error.message}.`);
  }
  const octetos = new TextEncoder().encode(linea).length;
  if (octetos > OCTETOS_DE_UN_EVENTO) {
    throw new EventoNoValido(`El evento ocupa ${octetos} octetos y caben ${OCTETOS_DE_UN_EVENTO}: acórtelo.`);
  }
  return { id: campos.id, linea };
}

function uuid7() {
  const octetos = crypto.getRandomValues(new Uint8Array(16));
  new DataView(octetos.buffer).setUint32(0, Math.floor(Date.now() / 2 ** 16));
  new DataView(octetos.buffer).setUint16(4, Date.now() % 2 ** 16);
  octetos[6] = (octetos[6] & 0x0f) | 0x70;
  octetos[8] = (octetos[8] & 0x3f) | 0x80;
  const hex = Array.from(octetos, (octeto) => octeto.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
