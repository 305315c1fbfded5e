/**
 * Una cola en un archivo, para Node.js: lo encolado está en el disco y sobrevive a este proceso.
 *
 * Cada evento es una línea `+número {…}`, y cada lote resuelto, una `-[números]`. De dos procesos que abren el
 * mismo archivo, el segundo recibe `ColaOcupada`: lo dice un archivo al lado, el cerrojo, con quién es su dueño.
 *
 * El dueño toca su cerrojo cada 5 s. Desde otra máquina o contenedor se le releva a los 30 s de no hacerlo: si
 * solo estaba parado, no hay dos dueños, porque nada se da por guardado sin ver después el cerrojo propio en su
 * sitio, y quien releva lo toma antes de leer.
 */
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ColaEnMemoria } from "./memoria.js";

const RESUELTOS_POR_LIMPIAR = 1_000;
const CADA_LATIDO = 5_000;
const SIN_LATIR = 30_000;

/** Otro cliente vivo tiene abierto ese archivo. */
export class ColaOcupada extends Error {}

export class ColaEnArchivo extends ColaEnMemoria {
  #cerrojo; #archivo; #latido;
  #resueltos = 0;

  constructor(ruta) {
    super();
    this.ruta = sinEnlaces(ruta);
    this.#cerrojo = tomar(this.ruta);
    this.#latido = setInterval(() => this.#latir(), CADA_LATIDO).unref();
    try {
      // Lo que el anterior dueño, parado al limpiar, pondría sobre lo de este cuando siguiera.
      const nuevos = `${path.basename(this.ruta)}.nueva`;
      const carpeta = path.dirname(this.ruta);
      for (const otro of fs.readdirSync(carpeta)) {
        if (otro.startsWith(nuevos)) fs.rmSync(path.join(carpeta, otro), { force: true });
      }
      if (fs.existsSync(this.ruta)) this.#leer(fs.readFileSync(this.ruta, "utf8"));
      this.#reescribir();
    } catch (error) {
      this.cerrar();
      throw error;
    }
  }

  /** Al volver, ya está en el disco. */
  poner(linea) {
    this.#añadir(`+${this.siguiente} ${linea}\n`);
    return super.poner(linea);
  }

  quitar(numeros) {
    if (!numeros.length) return;
    super.quitar(numeros);
    this.#añadir(`-${JSON.stringify(numeros)}\n`);
    this.#resueltos += numeros.length;
    if (this.#resueltos < Math.max(this.cuantos, RESUELTOS_POR_LIMPIAR)) return;
    this.#resueltos = 0;
    try {
      this.#reescribir();
    } catch {
      // Limpiar solo ahorra sitio: el archivo de antes vale, y se intentará con los siguientes.
    }
  }

  cerrar() {
    clearInterval(this.#latido);
    if (this.#archivo !== undefined) fs.closeSync(this.#archivo);
    if (this.#esMia()) fs.rmSync(this.#cerrojo.ruta);
    fs.closeSync(this.#cerrojo.archivo);
  }

  #latir() {
    try {
      fs.writeSync(this.#cerrojo.archivo, this.#cerrojo.texto, 0);
    } catch {
      // Si sigue sin poder, otro lo relevará: no hace falta más.
    }
  }

  #esMia() {
    const { ruta, texto } = this.#cerrojo;
    return fs.existsSync(ruta) && fs.readFileSync(ruta, "utf8") === texto;
  }

  #exigirMia() {
    if (!this.#esMia()) throw new Error(`Otro cliente relevó a este, que estaba parado, en la cola ${this.ruta}.`);
  }

  #leer(texto) {
    const lineas = texto.split("\n");
    const ultima = lineas.pop(); // vacía o a medio escribir: de esa no se dijo que estuviera encolada
    if (!/^([+-]|$)/.test(ultima)) this.#negar(lineas.length + 1);
    for (const [lugar, linea] of lineas.entries()) {
      const [, numero, evento, resueltos] = /^(?:\+(\d+) (\{.*\})|-(\[\d+(?:,\d+)*\]))$/.exec(linea) ?? [];
      if (resueltos) super.quitar(JSON.parse(resueltos));
      else if (!evento) this.#negar(lugar + 1);
      else {
        this.siguiente = Number(numero) + 1;
        this.eventos.set(Number(numero), evento);
      }
    }
  }

  #negar(lugar) {
    throw new Error(`La línea ${lugar} de ${this.ruta} no es de una cola: no se toca. Dé otro.`);
  }

  #añadir(linea) {
    const { size: antes, ino } = fs.fstatSync(this.#archivo);
    try {
      fs.writeFileSync(this.#archivo, linea);
      fs.fsyncSync(this.#archivo);
    } catch (error) {
      fs.ftruncateSync(this.#archivo, antes); // media línea, sin sitio en el disco, estropearía la siguiente
      throw error;
    }
    // Después de escribir: si otro lo releva a partir de aquí, lo leerá.
    this.#exigirMia();
    if (fs.statSync(this.ruta, { throwIfNoEntry: false })?.ino !== ino) {
      throw new Error(`Alguien borró o sustituyó la cola ${this.ruta}: cree otro cliente.`);
    }
  }

  /** Deja solo los que no tienen veredicto; si algo lo interrumpe, vale el archivo de antes. */
  #reescribir() {
    const ruta = `${this.ruta}.nueva.${randomUUID()}`;
    const nuevo = fs.openSync(ruta, "a", 0o600); // trae direcciones y agentes de personas
    try {
      fs.writeFileSync(nuevo, Array.from(this.eventos, ([numero, linea]) => `+${numero} ${linea}\n`).join(""));
      fs.fsyncSync(nuevo);
      this.#exigirMia(); // quien releve desde aquí borra `ruta` antes de leer
      fs.renameSync(ruta, this.ruta);
    } catch (error) {
      fs.closeSync(nuevo);
      fs.rmSync(ruta, { force: true });
      throw error;
    }
    const anterior = this.#archivo;
    this.#archivo = nuevo; // desde ahora, pase lo que pase: en el anterior ya no se lee
    if (anterior !== undefined) fs.closeSync(anterior);
    if (process.platform !== "win32") {
      const carpeta = fs.openSync(path.dirname(this.ruta), "r");
      try {
        fs.fsyncSync(carpeta);
      } finally {
        fs.closeSync(carpeta);
      }
    }
  }
}

/** Dónde está de verdad, exista o no: al limpiarla se sustituye, y se sustituiría el enlace. */
function sinEnlaces(ruta) {
  const lugar = path.join(fs.realpathSync(path.dirname(ruta)), path.basename(ruta));
  if (fs.statSync(lugar, { throwIfNoEntry: false })) return fs.realpathSync(lugar);
  if (!fs.lstatSync(lugar, { throwIfNoEntry: false })) return lugar;
  return sinEnlaces(path.resolve(path.dirname(lugar), fs.readlinkSync(lugar))); // enlaza a lo que aún no existe
}

/**
 * Node.js no tiene cerrojos del sistema: uno es un archivo que nombra a su dueño, y el de un muerto se releva.
 *
 * Devuelve su ruta, lo que dice y el archivo abierto, con que se toca el propio aunque otro esté ya en su sitio.
 */
function tomar(ruta) {
  for (let vez = 0; vez < 2; vez++) {
    try {
      return intentarTomar(ruta);
    } catch (error) {
      if (error.code !== "ENOENT") throw error; // lo soltó su dueño mientras se miraba de quién era
    }
  }
  throw ocupada(ruta);
}

function ocupada(ruta) {
  return new ColaOcupada(`Otro cliente usa la cola ${ruta} (lo dice ${ruta}.cerrojo): dé a cada uno la suya.`);
}

function intentarTomar(ruta) {
  const cerrojo = `${ruta}.cerrojo`;
  const [mio, relevo] = [`${cerrojo}.${process.pid}.${randomUUID()}`, `${cerrojo}.relevo`];
  const texto = `${quien(process.pid)}\n${sitio()}\n${randomUUID()}`;
  const tomado = { ruta: cerrojo, texto, archivo: fs.openSync(mio, "wx") };
  let vale = false;
  try {
    fs.writeSync(tomado.archivo, texto);
    vale = enlazar(mio, cerrojo);
    if (vale) return tomado;
    const dueño = fs.readFileSync(cerrojo, "utf8");
    // De varios que lo ven muerto releva uno, y solo si sigue siendo el muerto.
    if (muerto(dueño, cerrojo, mio)) {
      if (fs.existsSync(relevo)) quitarRelevo(relevo, mio);
      if (enlazar(mio, relevo)) {
        try {
          if (fs.readFileSync(cerrojo, "utf8") === dueño) {
            fs.renameSync(mio, cerrojo);
            vale = true;
            return tomado;
          }
        } finally {
          fs.rmSync(relevo, { force: true });
        }
      }
    }
    throw ocupada(ruta);
  } finally {
    fs.rmSync(mio, { force: true });
    if (!vale) fs.closeSync(tomado.archivo);
  }
}

/** El relevo de quien murió relevando; si al apartarlo resulta ser de otro vivo, se devuelve a su sitio. */
function quitarRelevo(relevo, mio) {
  const dicho = fs.readFileSync(relevo, "utf8");
  if (!muerto(dicho, relevo, mio)) return;
  fs.renameSync(relevo, `${mio}.relevo`);
  if (fs.readFileSync(`${mio}.relevo`, "utf8") !== dicho) enlazar(`${mio}.relevo`, relevo);
  fs.rmSync(`${mio}.relevo`);
}

/** Si murió el que dice ese cerrojo; el de otra máquina o contenedor, si no late según el reloj de ese disco. */
function muerto(dicho, cerrojo, reciente) {
  const [dueño, suyo = ""] = dicho.split("\n");
  if (suyo && suyo !== sitio()) {
    const quieto = fs.statSync(reciente).mtimeMs - fs.statSync(cerrojo).mtimeMs;
    if (quieto > SIN_LATIR) return true;
    throw new ColaOcupada(
      `La cola la tiene otra máquina o contenedor, o es de antes de arrancar esta (${suyo}). Si ya no existe, ` +
        `podrá abrirla en ${Math.ceil((SIN_LATIR - quieto) / 1000)} s.`,
    );
  }
  return quien(parseInt(dueño, 10)) !== dueño;
}

/**
 * Dónde valen los números de proceso: la máquina y, en Linux, el contenedor (su espacio de nombres) y el arranque.
 *
 * Dos máquinas pueden llamarse igual, y en todas es el mismo el espacio de nombres de fuera de los contenedores.
 */
function sitio() {
  const espacio = "/proc/self/ns/pid";
  return `${os.hostname()} ${fs.existsSync(espacio) ? `${fs.readlinkSync(espacio)} ${arranque()}` : ""}`;
}

const arranque = () => fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** Qué proceso es ese, si vive: su número y, donde se sabe, cuándo empezó y en qué arranque de la máquina. */
function quien(numero) {
  if (Number.isNaN(numero)) return "nadie";
  try {
    process.kill(numero, 0);
  } catch (error) {
    if (error.code === "ESRCH") return "";
  }
  const estado = `/proc/${numero}/stat`;
  if (!fs.existsSync(estado)) return `${numero} `;
  const campos = fs.readFileSync(estado, "utf8").split(") ").pop().split(" ");
  if (campos[0] === "Z") return ""; // uno ya muerto que nadie recogió no es dueño de nada
  return `${numero} ${campos[19]} ${arranque()}`;
}

function enlazar(de, a) {
  try {
    fs.linkSync(de, a);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}
