/** Lo encolado que aún no tiene veredicto, por su número y en orden de llegada. Se pierde con el proceso. */
export class ColaEnMemoria {
  eventos = new Map();
  siguiente = 1;

  get cuantos() {
    return this.eventos.size;
  }

  /** La guarda al final y devuelve su número. */
  poner(linea) {
    this.eventos.set(this.siguiente, linea);
    return this.siguiente++;
  }

  /** Los más antiguos de los que sirven: a lo sumo `cuantos`, y los que caben en esos octetos, o uno. */
  primeros(cuantos, octetos, sirve = () => true) {
    const lote = new Map();
    for (const [numero, linea] of this.eventos) {
      if (!sirve(numero)) continue;
      octetos -= new TextEncoder().encode(linea).length + 1;
      if (lote.size === cuantos || (lote.size && octetos < 0)) break;
      lote.set(numero, linea);
    }
    return lote;
  }

  /** Olvida los que ya tienen veredicto. */
  quitar(numeros) {
    for (const numero of numeros) this.eventos.delete(numero);
  }

  cerrar() {}
}
