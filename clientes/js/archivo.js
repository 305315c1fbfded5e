/**
 * Una cola en un archivo, para Node.js: lo encolado está en el disco y sobrevive a este proceso.
 *
 * Cada evento es una línea `+número {…}`, y cada lote resuelto, una `-[números]`. De dos procesos que abren el
 * mismo archivo, el segundo recibe `ColaOcupada`: lo dice un archivo al lado, con quién es su dueño.
 */
import fs from "node:fs";
import path from "node:path";
import { ColaEnMemoria } from "./memoria.js";

const RESUELTOS_POR_LIMPIAR = 1_000;

/** Otro cliente vivo tiene abierto ese archivo. */
export class ColaOcupada extends Error {}

export class ColaEnArchivo extends ColaEnMemoria {
  #cerrojo; #archivo;
  #resueltos = 0;

  constructor(ruta) {
    super();
    this.ruta = path.join(fs.realpathSync(path.dirname(ruta)), path.basename(ruta));
    this.#cerrojo = tomar(this.ruta);
    if (fs.existsSync(this.ruta)) this.#leer(fs.readFileSync(this.ruta, "utf8"));
    this.#reescribir();
  }

  /** Al volver, ya está en el disco. */
  poner(linea) {
    this.#añadir(`+${this.siguiente} ${linea}\n`);
    return super.poner(linea);
  }

  quitar(numeros) {
    if (!numeros.length) return;
    this.#añadir(`-${JSON.stringify(numeros)}\n`);
    super.quitar(numeros);
    this.#resueltos += numeros.length;
    if (this.#resueltos >= Math.max(this.cuantos, RESUELTOS_POR_LIMPIAR)) this.#reescribir();
  }

  cerrar() {
    fs.closeSync(this.#archivo);
    fs.rmSync(this.#cerrojo);
  }

  #leer(texto) {
    const lineas = texto.split("\n");
    lineas.pop(); // vacía o a medio escribir: de esa no se dijo que estuviera encolada
    for (const linea of lineas) {
      if (linea.startsWith("-")) {
        super.quitar(JSON.parse(linea.slice(1)));
      } else {
        const corte = linea.indexOf(" ");
        this.siguiente = Number(linea.slice(1, corte)) + 1;
        this.eventos.set(this.siguiente - 1, linea.slice(corte + 1));
      }
    }
  }

  #añadir(linea) {
    const antes = fs.fstatSync(this.#archivo).size;
    try {
      fs.writeFileSync(this.#archivo, linea);
      fs.fsyncSync(this.#archivo);
    } catch (error) {
      fs.ftruncateSync(this.#archivo, antes); // media línea, sin sitio en el disco, estropearía la siguiente
      throw error;
    }
  }

  /** Deja solo los que no tienen veredicto; si algo lo interrumpe, vale el archivo de antes. */
  #reescribir() {
    fs.rmSync(`${this.ruta}.nueva`, { force: true });
    const nuevo = fs.openSync(`${this.ruta}.nueva`, "a", 0o600); // trae direcciones y agentes de personas
    fs.writeFileSync(nuevo, Array.from(this.eventos, ([numero, linea]) => `+${numero} ${linea}\n`).join(""));
    fs.fsyncSync(nuevo);
    fs.renameSync(`${this.ruta}.nueva`, this.ruta);
    if (process.platform !== "win32") {
      const carpeta = fs.openSync(path.dirname(this.ruta), "r");
      fs.fsyncSync(carpeta);
      fs.closeSync(carpeta);
    }
    if (this.#archivo !== undefined) fs.closeSync(this.#archivo);
    this.#archivo = nuevo;
    this.#resueltos = 0;
  }
}

/** Node.js no tiene cerrojos del sistema: uno es un archivo que nombra a su dueño, y el de un muerto se releva. */
function tomar(ruta) {
  const [cerrojo, mio, relevo] = ["", `.${process.pid}`, ".relevo"].map((final) => `${ruta}.cerrojo${final}`);
  fs.writeFileSync(mio, quien(process.pid));
  try {
    if (enlazar(mio, cerrojo)) return cerrojo;
    const dueño = fs.readFileSync(cerrojo, "utf8");
    // De varios que lo ven muerto releva uno, y solo si sigue siendo el muerto.
    if (quien(parseInt(dueño, 10)) !== dueño && enlazar(mio, relevo)) {
      try {
        if (fs.readFileSync(cerrojo, "utf8") === dueño) {
          fs.renameSync(mio, cerrojo);
          return cerrojo;
        }
      } finally {
        fs.rmSync(relevo);
      }
    }
    throw new ColaOcupada(`Otro cliente usa la cola ${ruta} (lo dice ${cerrojo}): dé a cada uno la suya.`);
  } finally {
    fs.rmSync(mio, { force: true });
  }
}

/** Qué proceso es ese, si vive: su número y, donde se sabe, cuándo empezó. */
function quien(numero) {
  try {
    process.kill(numero, 0);
  } catch (error) {
    if (error.code === "ESRCH") return "";
  }
  const estado = `/proc/${numero}/stat`;
  if (!fs.existsSync(estado)) return `${numero} `;
  const campos = fs.readFileSync(estado, "utf8").split(") ").pop().split(" ");
  return campos[0] === "Z" ? "" : `${numero} ${campos[19]}`; // uno ya muerto que nadie recogió no es dueño de nada
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
