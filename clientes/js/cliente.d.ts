import type { ColaEnArchivo } from "./archivo.js";
import type { ElementoAceptado, ElementoRechazado, Falta, NuevaConversion, NuevaImpresion } from "./tipos.js";
export type * from "./tipos.js";

export class EventoNoValido extends Error {}
export class ColaLlena extends Error {}

/** El cliente se cerró antes de saber de él; `motivo` dice qué será de él. */
export interface SinEnviar { estado: "SIN_ENVIAR"; motivo: string }
export type Veredicto = ElementoAceptado | ElementoRechazado | SinEnviar;
/** Un evento encolado. `veredicto` no se rechaza nunca. */
export interface Envio { id: string; veredicto: Promise<Veredicto> }
export interface Informe { pendientes: number; motivo: string }

export interface Opciones {
  /** `http://…` o `https://…`, con su ruta si la tiene. */
  direccion: string;
  /** La que va en `Authorization: Bearer`; si falta, en Node.js, la de `ALPES_CLAVE`. */
  clave?: string;
  /** Dónde se guarda lo encolado; si falta, en memoria. */
  cola?: ColaEnArchivo;
  /** Recibe cada evento rechazado y sus faltas, que también se registran. */
  alRechazar?: (evento: NuevaImpresion | NuevaConversion, errores: Falta[]) => unknown;
  /** Eventos que caben; con la cola llena, encolar lanza `ColaLlena`. 10 000 si falta. */
  maximoEnCola?: number;
  /** Milisegundos que un evento espera compañía antes de enviarse; 500 si falta. */
  cada?: number;
  /** Dónde se avisa de rechazos y fallos; `console` si falta. */
  registro?: Pick<Console, "error" | "warn">;
}

export class Cliente {
  constructor(opciones: Opciones);
  readonly pendientes: number;
  /** @throws EventoNoValido, ColaLlena o Error: no se encoló. */
  impresion(evento: NuevaImpresion): Envio;
  /** @throws EventoNoValido, ColaLlena o Error: no se encoló. */
  conversion(evento: NuevaConversion): Envio;
  cerrar(milisegundos?: number): Promise<Informe>;
}
