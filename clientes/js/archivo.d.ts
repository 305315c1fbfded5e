export class ColaOcupada extends Error {}

/** Una cola en un archivo, para Node.js. */
export class ColaEnArchivo {
  /** @throws ColaOcupada si otro cliente vivo lo tiene abierto. */
  constructor(ruta: string);
  readonly ruta: string;
}
