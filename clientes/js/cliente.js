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
  /** De los que fallaron solos, o entre otros que no: cuántas veces y cuándo les toca. */
  #apartados = new Map();
  #aparte = false;
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
    [this.#maximo, this.#cada] = [maximoEnCola, cada];
    // Si falla no puede parar el envío, ni acabar con el proceso: es lo que hace una promesa sin recoger.
    const decir = (nivel) => (...partes) => void (async () => registro[nivel](...partes))().catch(() => {});
    this.#registro = { error: decir("error"), warn: decir("warn") };
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
    if (motivo) this.#registro.error(`${eventos(this.pendientes)} sin veredicto al cerrar: ${motivo}.`);
    for (const resolver of this.#veredictos.values()) resolver({ estado: "SIN_ENVIAR", motivo });
    this.#cola.cerrar();
    return this.#informe;
  }

  /** Envía ya lo encolado; dice si se supo de todo antes de que pasara el plazo o se viera que es inútil. */
  async #vaciar(plazo) {
    this.#prisa = true;
    this.#noAntes = this.#pedidoHasta;
    this.#sinRemedio = false; // se intenta una vez más: pudo arreglarse
    for (const apartado of this.#apartados.values()) apartado.toca = 0;
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
      throw new ColaLlena(`La cola está llena (${eventos(this.#maximo)}): ${this.#motivo || "no da abasto"}.`);
    }
    if (!this.#frescos) this.#desde = performance.now();
    const numero = this.#cola.poner(linea);
    const veredicto = new Promise((resolver) => this.#veredictos.set(numero, resolver));
    this.#programar();
    return { id, veredicto };
  }

  get #frescos() {
    return this.pendientes - this.#apartados.size;
  }

  #programar() {
    if (this.#enviando || this.#informe || !this.pendientes) return;
    clearTimeout(this.#reloj);
    const completo = this.#prisa || this.#frescos >= this.#tope;
    let toca = completo ? 0 : this.#frescos ? this.#desde + this.#cada : Infinity;
    for (const apartado of this.#apartados.values()) toca = Math.min(toca, apartado.toca);
    toca = Math.max(toca, this.#noAntes);
    this.#reloj = setTimeout(() => this.#enviarUno(), Math.max(0, Math.ceil(toca - performance.now())));
    // Un evento que espera no impide acabar al proceso: `beforeExit` lo envía, con plazo.
    this.#reloj.unref?.();
  }

  /** De los apartados a los que les toca y de los demás, por turno. */
  #lote() {
    const debido = (numero) => this.#apartados.get(numero)?.toca <= performance.now() + 1;
    const hay = [...this.#apartados.keys()].some(debido);
    this.#aparte = hay && !(this.#frescos && this.#aparte);
    return this.#cola.primeros(this.#tope, OCTETOS, this.#aparte ? debido : (n) => !this.#apartados.has(n));
  }

  async #enviarUno() {
    this.#enviando = true;
    try {
      const lote = this.#lote();
      if (!lote.size) return;
      const dicho = await enviar(this.#destino, this.#clave, [...lote.values()]);
      const numeros = [...lote.keys()];
      const dichos = dicho.resultados.map((uno, i) => [numeros[i], uno]);
      const sabidos = new Map(dichos.filter(([, uno]) => uno.estado !== "SIN_CONFIRMAR"));
      for (const [numero, { estado, errores }] of sabidos) {
        if (estado === "RECHAZADA") this.#decirRechazo(JSON.parse(lote.get(numero)), errores);
      }
      // Si se cerró mientras tanto, el archivo ya puede ser de otro.
      if (!this.#informe) this.#anotar(lote, dicho, sabidos);
    } catch (error) {
      this.#noAntes = performance.now() + esperaTras(MUCHOS, 0);
      this.#registro.error("El cliente falló; seguirá.", error);
    } finally {
      this.#enviando = false;
      this.#avisar();
      this.#programar();
    }
  }

  /** No lo espera: lo que `alRechazar` tarde no para a los demás. */
  #decirRechazo(evento, errores) {
    this.#registro.error(`La API rechazó el evento ${evento.id}:`, errores);
    const hecho = (async () => this.#alRechazar(evento, errores))();
    hecho.catch((error) => this.#registro.error(`alRechazar falló con el evento ${evento.id}.`, error));
  }

  #anotar(lote, dicho, sabidos) {
    try {
      this.#cola.quitar([...sabidos.keys()]);
    } finally {
      for (const [numero, veredicto] of sabidos) {
        this.#veredictos.get(numero)?.(veredicto);
        this.#veredictos.delete(numero);
      }
    }
    const [todos, avanza] = [sabidos.size === lote.size, sabidos.size > 0 || dicho.noCabe];
    const reincide = lote.size === 1 && this.#apartados.has([...lote.keys()][0]);
    this.#apartar(lote, dicho, sabidos);
    this.#sinRemedio = dicho.sinRemedio && !(reincide && this.#frescos);
    // A quien no da abasto, o por una línea lenta, le llega la mitad; cuando puede, el doble.
    if (todos) this.#tope = Math.min(ELEMENTOS, this.#tope * 2);
    else if (!reincide) this.#tope = Math.max(1, Math.floor(lote.size / 2));
    if (!todos && !dicho.noCabe) this.#decirMotivo(dicho);
    else if (!this.#apartados.size) this.#motivo = "";
    // Lo que vuelve a fallar solo no retrasa más a los demás.
    if (avanza) this.#fallos = 0;
    else if (!reincide) this.#fallos = dicho.sinRemedio ? MUCHOS : this.#fallos + 1;
    this.#pedidoHasta = performance.now() + dicho.espera;
    this.#noAntes = avanza ? this.#pedidoHasta : performance.now() + esperaTras(this.#fallos, dicho.espera);
  }

  /** El que falla solo, o entre otros que no, tiene su propia espera: los demás no lo esperan a él. */
  #apartar(lote, { sinRemedio, espera }, sabidos) {
    for (const numero of lote.keys()) {
      const veces = (this.#apartados.get(numero)?.veces ?? 0) + (lote.size === 1 || sabidos.size > 0);
      this.#apartados.delete(numero);
      if (!veces || sabidos.has(numero)) continue;
      const toca = performance.now() + esperaTras(sinRemedio ? MUCHOS : veces, espera);
      this.#apartados.set(numero, { veces, toca });
    }
  }

  /** De un mismo motivo se avisa una vez. */
  #decirMotivo({ motivo, sinRemedio }) {
    if (motivo === this.#motivo) return;
    this.#motivo = motivo;
    const sera = sinRemedio ? "debe arreglarlo alguien; la cola se conserva" : "se repetirá";
    this.#registro[sinRemedio ? "error" : "warn"](`${motivo}: ${sera}.`);
  }
}

const eventos = (cuantos) => (cuantos === 1 ? "1 evento" : `${cuantos} eventos`);

/** El `id` del evento y su línea; si no traía `id` o `timestamp`, se le ponen aquí. */
function lineaDe(clase, evento) {
  const campos = { ...evento, id: evento.id ?? uuid7(), clase };
  campos.timestamp ??= new Date().toISOString();
  if (typeof campos.id !== "string" || !campos.id) {
    throw new EventoNoValido("id: debe ser un texto que no esté vacío; si no lo hay, no lo envíe.");
  }
  const { valor } = campos;
  if (valor != null && typeof valor !== "string" && !Number.isSafeInteger(valor)) {
    throw new EventoNoValido(`valor: no es un importe exacto: use un texto ("19.90") o un entero.`);
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
